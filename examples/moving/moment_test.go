package main

import (
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	want := time.Date(2025, 6, 7, 8, 9, 10, 0, time.UTC)
	for _, value := range []any{want, "2025-06-07 08:09:10", []byte("2025-06-07 08:09:10"), "2025-06-07T08:09:10Z", "2025-06-07 10:09:10+02:00"} {
		m := moment{time.Now()}
		if err := m.Scan(value); err != nil || !m.Equal(want) {
			t.Errorf("Scan(%v) = %v, %v", value, m, err)
		}
	}
	for _, value := range []any{nil, "", "yesterday", 7} {
		m := moment{time.Now()}
		if err := m.Scan(value); err != nil || !m.IsZero() {
			t.Errorf("Scan(%v) = %v, %v", value, m, err)
		}
	}
}
