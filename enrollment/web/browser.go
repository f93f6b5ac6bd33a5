package web

import "strings"

// browserName returns a name such as "Firefox (Linux)" for a trusted device. It is stored,
// so it is the same in every language.
func browserName(userAgent string) string {
	// The first that fits: most browsers claim to be others as well.
	name := firstIn(userAgent, "Edg/", "Edge", "OPR/", "Opera", "SamsungBrowser", "Samsung Internet", "Firefox/", "Firefox", "FxiOS", "Firefox", "Chrome/", "Chrome", "CriOS", "Chrome", "Safari/", "Safari")
	system := firstIn(userAgent, "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	switch {
	case name != "" && system != "":
		return name + " (" + system + ")"
	case name != "":
		return name
	}
	return system
}

// firstIn returns the name of the first sign in the text. Signs and names come in pairs.
func firstIn(text string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if strings.Contains(text, pairs[i]) {
			return pairs[i+1]
		}
	}
	return ""
}
