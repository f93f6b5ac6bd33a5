package front

import (
	"html/template"
	"io/fs"
	"path"
	"strings"
)

// ParsePages parses each file of the folder templates together with those of its folder
// shared, and hands it on by its name without the ending.
func ParsePages(files fs.FS, functions template.FuncMap, found func(name string, page *template.Template)) error {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return err
	}
	for _, name := range names {
		page, err := template.New("").Funcs(functions).ParseFS(files, "templates/shared/*.html", name)
		if err != nil {
			return err
		}
		found(strings.TrimSuffix(path.Base(name), ".html"), page)
	}
	return nil
}
