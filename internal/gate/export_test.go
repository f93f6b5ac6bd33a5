package gate

// Waiting returns how many accounts the gate remembers.
func Waiting(g *Gate) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.turns)
}
