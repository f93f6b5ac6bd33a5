package front

import (
	"net"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Guesses of passwords are limited for each address and for each account. The library's
// own limits begin after the password. Each process counts for itself: with several, the
// limits are as many times as high.
const (
	AddressBurst, AddressPause = 30, 2 * time.Second
	AccountBurst, AccountPause = 10, 30 * time.Second
	maxLimiters                = 10_000
)

// Limits has a token bucket for each name that was tried lately. If somebody tries a great
// many names, the oldest go, so that nobody else is locked out.
type Limits struct {
	now  func() time.Time
	each *lru.Cache[string, *rate.Limiter]
}

// NewLimits returns limits by that clock.
func NewLimits(now func() time.Time) *Limits {
	each, err := lru.New[string, *rate.Limiter](maxLimiters)
	if err != nil {
		panic(err) // the size is invalid
	}
	return &Limits{now, each}
}

// Allow reports whether another password may be tried from where the request comes, for
// that account. Behind a proxy, take the address from where your own proxy puts it.
func (l *Limits) Allow(r *http.Request, account string) bool {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	return l.take("address "+address, AddressBurst, AddressPause) &&
		(account == "" || l.take("account "+account, AccountBurst, AccountPause))
}

// take takes a token.
func (l *Limits) take(name string, burst int, pause time.Duration) bool {
	one := rate.NewLimiter(rate.Every(pause), burst)
	if known, found, _ := l.each.PeekOrAdd(name, one); found {
		one = known
		l.each.Get(name) // which makes it the newest
	}
	return one.AllowN(l.now(), 1)
}
