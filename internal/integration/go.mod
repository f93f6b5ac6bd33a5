module github.com/seed-1b6a03a1/twofactor/internal/integration

go 1.25.0

require github.com/seed-1b6a03a1/twofactor v0.0.0

replace github.com/seed-1b6a03a1/twofactor => ../..
