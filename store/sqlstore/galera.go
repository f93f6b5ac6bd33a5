package sqlstore

import (
	"strconv"
	"strings"
)

// galeraVariables are those that tell about a Galera cluster. Only MariaDB and Percona
// XtraDB Cluster have them.
const galeraVariables = "'wsrep_on', 'wsrep_sync_wait', 'wsrep_dirty_reads'"

// galeraOptions are the options of the cluster. SHOW VARIABLES would cut them off.
const galeraOptions = "SELECT 'wsrep_provider_options', @@GLOBAL.wsrep_provider_options"

// galeraWaits are the bits of wsrep_sync_wait for all statements of a Store but that of
// EraseTx, which nothing has wait: 1 for SELECT,
// 2 for UPDATE and DELETE, 4 for INSERT. Without 1, a node reads what another one has
// already replaced. Without 2, it erases nothing where another one has just created, and
// without 2 or 4 it takes a right write for a conflict.
const galeraWaits = 1 | 2 | 4

// galera says what is wrong with the settings of a session at a node of a Galera cluster.
// member says that the server belongs to a cluster.
func galera(set map[string]string, on func(name string) bool, member bool) (wrong []string) {
	switch {
	case !on("wsrep_on") && member:
		return []string{"wsrep_on is off at a node of a cluster: the other nodes do not get its writes, and used codes work there"}
	case !on("wsrep_on"):
		return nil
	}
	if wait, _ := strconv.Atoi(set["wsrep_sync_wait"]); wait&galeraWaits != galeraWaits {
		wrong = append(wrong, "wsrep_sync_wait is "+set["wsrep_sync_wait"]+" and not 7: a node of the cluster reads old records, and erases nothing where there is one")
	}
	if on("wsrep_dirty_reads") {
		wrong = append(wrong, "wsrep_dirty_reads is on: wsrep_sync_wait then does nothing, and a node without its cluster reads old records")
	}
	for option := range strings.SplitSeq(set["wsrep_provider_options"], ";") {
		name, value, _ := strings.Cut(option, "=")
		name, value = strings.TrimSpace(name), strings.ToLower(strings.TrimSpace(value))
		if (name == "pc.ignore_sb" || name == "pc.ignore_quorum") && value != "false" && value != "no" && value != "off" && value != "0" {
			wrong = append(wrong, name+" is "+value+" in wsrep_provider_options: when the network splits, both sides accept the same code")
		}
	}
	return wrong
}
