//go:build unix

package redisstore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/redisstore"
)

// trips counts what a client sends: commands alone, and pipelines.
type trips struct{ commands, pipelines int }

func (*trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { c.commands++; return next(ctx, cmd) }
}

func (c *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { c.pipelines++; return next(ctx, cmds) }
}

// TestRoundTrips counts what it costs to list users by their ids.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	c := open(t)
	s := newStore(t, c, redisstore.Options{Prefix: freshPrefix()})
	var ids []string
	for i := range 250 {
		ids = append(ids, fmt.Sprintf("user-%03d", i))
		if err := s.Save(t.Context(), record(ids[i], 1), 0); err != nil {
			t.Fatal(err)
		}
	}
	sent := new(trips)
	c.AddHook(sent)
	page, err := s.List(t.Context(), store.Query{UserIDs: append(ids, "nobody"), Limit: store.MaxPage})
	if err != nil || len(page.Records) != len(ids) {
		t.Fatalf("List = %d records, %v, want %d", len(page.Records), err, len(ids))
	}
	if *sent != (trips{pipelines: 3}) {
		t.Errorf("%d commands and %d pipelines, want three pipelines", sent.commands, sent.pipelines)
	}
}
