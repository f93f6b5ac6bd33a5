package etcdstore_test

import (
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/integration/histories"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/long"
	"github.com/seed-1b6a03a1/twofactor/internal/integration/proxy"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// troubles are what happens to the passages between clients and nodes, in thousandths.
var troubles = proxy.Trouble{CutRequest: 5, CutReply: 5, LoseReply: 10, Delay: 50}

// TestHistoriesOfBrokenNetwork looks for an order of operations whose requests and replies
// may be lost. A client that sends a write again would take its own for another's.
func TestHistoriesOfBrokenNetwork(t *testing.T) {
	t.Parallel()
	prefix := newPrefix()
	var stores []proving.Full
	var proxies []*proxy.Proxy
	for _, n := range shared(t).nodes {
		p, err := proxy.Start("tcp", n.plan.Client)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
		p.Meet(troubles)
		_, s := open(t, prefix, &node{plan: plan{Client: p.Addr().String()}})
		proxies, stores = append(proxies, p), append(stores, s)
	}
	// Each of these happens, also if chance leaves it out.
	proxies[0].Cut(proxy.Reply, 3)
	proxies[0].Cut(proxy.Reply, 0)
	proxies[0].Cut(proxy.Request, 20)
	f, err := histories.Check(t.Context(), stores, histories.Options{Rounds: long.Histories(t, 60), Faulty: true})
	t.Log(f)
	var requests, replies, lost int
	for _, p := range proxies {
		figures := p.Figures()
		t.Log(figures)
		requests, replies, lost = requests+figures.CutRequests, replies+figures.CutReplies, lost+figures.LostReplies
	}
	if err != nil {
		t.Fatal(err)
	}
	if f.Unknown == 0 || requests == 0 || replies == 0 || lost == 0 {
		t.Error("no operation was lost, or something did not happen")
	}
}
