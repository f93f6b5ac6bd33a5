package main

import (
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Guesses of passwords are limited for each address and for each account. The library's
// own limits begin after the password. Each process counts for itself: with several, the
// limits are as many times as high.
const (
	addressBurst, addressPause = 30, 2 * time.Second
	accountBurst, accountPause = 10, 30 * time.Second
	maxLimiters                = 10_000
)

// limits has a token bucket for each name.
type limits struct {
	now func() time.Time

	mu   sync.Mutex
	each map[string]*rate.Limiter
}

// allow reports whether another password may be tried from where the request comes, for
// that account. Behind a proxy, take the address from where your own proxy puts it.
func (l *limits) allow(r *http.Request, account string) bool {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ok := l.take("address "+address, addressBurst, addressPause)
	return ok && (account == "" || l.take("account "+account, accountBurst, accountPause))
}

// take takes a token. When there are too many buckets, those that are full go: a new
// one is full as well. If somebody tries a great many names, others go too, so that nobody
// else is locked out.
func (l *limits) take(name string, burst int, pause time.Duration) bool {
	now := l.now()
	if len(l.each) >= maxLimiters {
		for name, one := range l.each {
			if one.TokensAt(now) >= float64(one.Burst()) {
				delete(l.each, name)
			}
		}
		for name := range l.each { // so many at once that few calls come here
			if len(l.each) <= maxLimiters/2 {
				break
			}
			delete(l.each, name)
		}
	}
	one := l.each[name]
	if one == nil {
		one = rate.NewLimiter(rate.Every(pause), burst)
		l.each[name] = one
	}
	return one.AllowN(now, 1)
}
