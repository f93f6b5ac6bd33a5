package main

import "time"

// A moment reads a time from any of the databases. It is zero if there is none, or if
// it can't be read: the library then takes the time of the import.
type moment struct{ time.Time }

// Scan implements [sql.Scanner].
func (m *moment) Scan(value any) error {
	m.Time = time.Time{}
	switch v := value.(type) {
	case time.Time:
		m.Time = v
	case string:
		m.parse(v)
	case []byte:
		m.parse(string(v))
	}
	return nil
}

// parse reads the forms in which databases without a type for it have a time.
func (m *moment) parse(text string) {
	for _, layout := range []string{time.DateTime, time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil { // it reads fractions of a second, too
			m.Time = t
			return
		}
	}
}
