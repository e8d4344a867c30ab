package probe

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// keyringFacts are tried in a user namespace of their own: gVisor counts keys by user
// namespace, and what the trials use up there goes with it.
func keyringFacts() []fact {
	return []fact{
		{"keyring.session", tryKeyring},
		{"keyring.reclaimed", tryKeyringReclaimed},
	}
}

// tryKeyring joins a new session keyring and opens it to others, as runc does for each
// container unless told not to.
func tryKeyring(*trial) Result {
	return onThread(func() Result {
		id, err := joinKeyring(0)
		if err != nil {
			return no(err, "keyctl(KEYCTL_JOIN_SESSION_KEYRING)")
		}
		description, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, id)
		if err != nil {
			return no(err, "keyctl(KEYCTL_DESCRIBE)")
		}
		// "type;uid;gid;permissions in hexadecimal;name", see keyctl_describe(3).
		fields := strings.Split(description, ";")
		if len(fields) < 5 {
			return no(nil, "keyctl(KEYCTL_DESCRIBE) answered %q", description)
		}
		permissions, err := strconv.ParseUint(fields[3], 16, 32)
		if err != nil {
			return no(err, "read the permissions of a session keyring")
		}
		const userMaySearch = 0x80000
		if err := unix.KeyctlSetperm(id, uint32(permissions)|userMaySearch); err != nil {
			return no(err, "keyctl(KEYCTL_SETPERM)")
		}
		return yes("a session keyring was joined")
	})
}

// keyringsInARow is more than gVisor's limit of 200 keys.
const keyringsInARow = 256

// tryKeyringReclaimed joins one session keyring after another. Linux gives back what
// nothing refers to any more; gVisor keeps each key for good, so that after 200
// containers no other can have a keyring (pkg/sentry/kernel/auth/key.go, MaxSetSize).
func tryKeyringReclaimed(*trial) Result {
	return onThread(func() Result {
		for count := range keyringsInARow {
			if _, err := joinKeyring(count); err != nil {
				return no(err, "join a session keyring after %d others", count).withValue(strconv.Itoa(count))
			}
		}
		return yes("%d session keyrings were joined, one after the other", keyringsInARow)
	})
}

func joinKeyring(number int) (id int, err error) {
	return unix.KeyctlJoinSessionKeyring("_ses." + leftoverPrefix + strconv.Itoa(number))
}
