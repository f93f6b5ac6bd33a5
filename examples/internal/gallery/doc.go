// Package gallery shows every page of enrollment/web to a real browser, narrow and wide,
// light and dark. Its tests hold each page against axe-core. This writes pictures:
//
//	go test ./examples/internal/gallery -pictures FOLDER
//	go test ./examples/internal/gallery -pictures FOLDER -language de
package gallery
