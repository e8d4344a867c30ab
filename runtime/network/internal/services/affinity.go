package services

import (
	"container/list"
	"net/netip"
	"time"
)

// affinityLimit bounds the affinities that are kept, and with them the memory (about 6 MB
// when all are in use). Past it the client that has been away longest is forgotten.
const affinityLimit = 16384

type affinityKey struct {
	port   PortName
	client netip.Addr
}

type affinity struct {
	key      affinityKey
	endpoint Endpoint
	expires  time.Time
}

// affinities is a table of bounded size, in the order of use.
type affinities struct {
	limit int
	byKey map[affinityKey]*list.Element
	// recent has the affinity that was used last at its front.
	recent *list.List
}

func newAffinities(limit int) affinities {
	return affinities{limit: limit, byKey: map[affinityKey]*list.Element{}, recent: list.New()}
}

func (a *affinities) len() int { return a.recent.Len() }

// get returns the endpoint of an affinity that has not expired.
func (a *affinities) get(key affinityKey, now time.Time) (Endpoint, bool) {
	element, known := a.byKey[key]
	if !known {
		return Endpoint{}, false
	}
	found := element.Value.(*affinity)
	if !now.Before(found.expires) {
		a.drop(element)
		return Endpoint{}, false
	}
	return found.endpoint, true
}

// set makes or renews an affinity. It makes room by those that have expired, as far as
// they are the longest unused, and at the limit by the longest unused one.
func (a *affinities) set(key affinityKey, endpoint Endpoint, expires, now time.Time) {
	if element, known := a.byKey[key]; known {
		renewed := element.Value.(*affinity)
		renewed.endpoint, renewed.expires = endpoint, expires
		a.recent.MoveToFront(element)
		return
	}
	for oldest := a.recent.Back(); oldest != nil; oldest = a.recent.Back() {
		if len(a.byKey) < a.limit && now.Before(oldest.Value.(*affinity).expires) {
			break
		}
		a.drop(oldest)
	}
	a.byKey[key] = a.recent.PushFront(&affinity{key, endpoint, expires})
}

// retain removes the affinities that have expired and those that keep refuses.
func (a *affinities) retain(now time.Time, keep func(affinityKey, Endpoint) bool) {
	for element := a.recent.Front(); element != nil; {
		next := element.Next()
		found := element.Value.(*affinity)
		if !now.Before(found.expires) || !keep(found.key, found.endpoint) {
			a.drop(element)
		}
		element = next
	}
}

func (a *affinities) drop(element *list.Element) {
	delete(a.byKey, element.Value.(*affinity).key)
	a.recent.Remove(element)
}
