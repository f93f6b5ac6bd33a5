// Package added counts the lines that a second factor adds to an application.
package added

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Lines counts the lines of the Go files in the folder after that the files of the same
// name in the folder before do not have, and the whole of files that only after has. It
// counts no tests, empty lines or comments. With names, it counts only files of these names.
func Lines(before, after string, names ...string) (int, error) {
	files, err := filepath.Glob(filepath.Join(after, "*.go"))
	count := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || len(names) > 0 && !slices.Contains(names, filepath.Base(file)) {
			continue
		}
		new, err := lines(file)
		if err != nil {
			return 0, err
		}
		old, err := lines(filepath.Join(before, filepath.Base(file)))
		if err != nil && !os.IsNotExist(err) {
			return 0, err
		}
		count += len(new) - common(old, new)
	}
	return count, err
}

func lines(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	return slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool {
		line = strings.TrimSpace(line)
		return line == "" || strings.HasPrefix(line, "//")
	}), err
}

// common returns the length of the longest common subsequence.
func common(before, after []string) int {
	length := make([]int, len(before)+1)
	for _, line := range after {
		diagonal := 0
		for i := range before {
			above := length[i+1]
			if line == before[i] {
				length[i+1] = diagonal + 1
			} else {
				length[i+1] = max(above, length[i])
			}
			diagonal = above
		}
	}
	return length[len(before)]
}
