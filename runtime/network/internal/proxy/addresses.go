package proxy

import (
	"errors"
	"net/netip"

	"sandkube.dev/runtime/network/internal/services"
)

// addresses are the virtual addresses that are there: those that are wanted, and those
// of Services that are gone while connections to them last, which an address that is
// removed would break.
type addresses struct {
	namespace Namespace
	// wanted are there for the snapshot's sake.
	wanted map[netip.Addr]bool
	// uses counts the sockets, and what they have accepted, at each address.
	uses map[netip.Addr]int
}

// want adds the addresses of frontends, and removes others that nothing uses.
func (a *addresses) want(frontends map[services.Frontend]*services.Port) error {
	wanted := make(map[netip.Addr]bool, len(a.wanted))
	for frontend := range frontends {
		wanted[frontend.Address.Addr()] = true
	}
	var errs []error
	for address := range a.wanted {
		if !wanted[address] {
			delete(a.wanted, address)
			errs = append(errs, a.removeUnused(address))
		}
	}
	for address := range wanted {
		if a.wanted[address] {
			continue
		}
		if err := a.namespace.AddAddress(address); err != nil {
			errs = append(errs, err)
			continue
		}
		a.wanted[address] = true
	}
	return errors.Join(errs...)
}

func (a *addresses) has(address netip.Addr) bool { return a.wanted[address] }

func (a *addresses) use(address netip.Addr) { a.uses[address]++ }

func (a *addresses) release(address netip.Addr) error {
	a.uses[address]--
	return a.removeUnused(address)
}

func (a *addresses) removeUnused(address netip.Addr) error {
	if a.wanted[address] || a.uses[address] > 0 {
		return nil
	}
	delete(a.uses, address)
	return a.namespace.RemoveAddress(address)
}
