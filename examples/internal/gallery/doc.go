// Package gallery shows every page of enrollment/web to a real browser, narrow and wide,
// light and dark. Its tests hold each page against axe-core. Pictures of them, and those of
// README.md, are taken by .ci/pictures.
package gallery
