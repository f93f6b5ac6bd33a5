module github.com/seed-1b6a03a1/twofactor/store/boltstore

go 1.25.0

require (
	github.com/seed-1b6a03a1/twofactor v0.0.0
	go.etcd.io/bbolt v1.5.0
)

require (
	github.com/boombuler/barcode v1.0.1-0.20190219062509-6c824513bacc // indirect
	github.com/pquerna/otp v1.5.0 // indirect
	github.com/skip2/go-qrcode v0.0.0-20200617195104-da1b6568686e // indirect
	golang.org/x/crypto v0.55.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/seed-1b6a03a1/twofactor => ../..
