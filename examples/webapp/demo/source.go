package demo

import (
	"io/fs"
	"reflect"
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

// Source returns the file and the text of a method of the app, which Name has named, and
// "" if there is none in those files.
func Source(files fs.FS, name string) (file, text string) {
	_, method, _ := strings.Cut(name, ").")
	names, err := fs.Glob(files, "*.go")
	if err != nil || method == "" {
		return "", ""
	}
	for _, file := range names {
		content, err := fs.ReadFile(files, file)
		if err != nil {
			return "", ""
		}
		code := string(content)
		at := strings.Index(code, "\nfunc (a *app) "+method+"(")
		if at < 0 {
			continue
		}
		for { // with the comment above
			line := strings.LastIndexByte(code[:at], '\n')
			if !strings.HasPrefix(code[line+1:at], "//") {
				break
			}
			at = line
		}
		if end := strings.Index(code[at:], "\n}\n"); end > 0 {
			return file, code[at+1 : at+end+3]
		}
	}
	return "", ""
}
