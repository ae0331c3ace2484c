// Package web holds the apps for riders, drivers and operators, built and embedded, and
// serves them to browsers.
//
// The sources are in web/app and web/client; "npm run build" makes web/dist, which is
// committed so that building the server needs no Node.
package web

import "embed"

//go:embed all:dist
var dist embed.FS
