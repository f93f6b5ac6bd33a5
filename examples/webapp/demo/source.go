package demo

import (
	"io/fs"
	"reflect"
	"regexp"
	"runtime"
	"strings"
)

// Name returns the name of a function or method, such as "(*app).signIn".
func Name(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	name = strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], "-fm")
	_, name, _ = strings.Cut(name, ".")
	return name
}

// Source returns the file and the text of a method of the app, which Name has named, with
// the comment above it. It returns "" if the files have no such method.
func Source(files fs.FS, name string) (file, text string) {
	_, method, _ := strings.Cut(name, ").")
	declared := regexp.MustCompile(`(?ms)^(//[^\n]*\n)*func \(a \*app\) ` + regexp.QuoteMeta(method) + `\(.*?\n}\n`)
	names, err := fs.Glob(files, "*.go")
	if err != nil || method == "" {
		return "", ""
	}
	for _, file := range names {
		content, err := fs.ReadFile(files, file)
		if found := declared.Find(content); err == nil && found != nil {
			return file, string(found)
		}
	}
	return "", ""
}
