package policy

import (
	"fmt"
	"net/netip"

	networkingv1 "k8s.io/api/networking/v1"
)

// peers is the other end that a rule allows.
type peers struct {
	all    bool
	pods   map[netip.Addr]struct{}
	blocks []block
}

// block is a range of addresses with holes.
type block struct {
	within  netip.Prefix
	without []netip.Prefix
}

func (p *peers) match(address netip.Addr) bool {
	if p.all {
		return true
	}
	if _, found := p.pods[address]; found {
		return true
	}
	for i := range p.blocks {
		if p.blocks[i].contains(address) {
			return true
		}
	}
	return false
}

func (b *block) contains(address netip.Addr) bool {
	if !b.within.Contains(address) {
		return false
	}
	for _, hole := range b.without {
		if hole.Contains(address) {
			return false
		}
	}
	return true
}

// compilePeers compiles the from or to of a rule. What it can not compile allows
// nothing, and is told by complain.
func (c *cluster) compilePeers(namespace string, list []networkingv1.NetworkPolicyPeer, complain func(error)) peers {
	// "If this field is empty or missing, this rule matches all" sources or destinations.
	if len(list) == 0 {
		return peers{all: true}
	}
	compiled := peers{pods: map[netip.Addr]struct{}{}}
	for i := range list {
		peer := &list[i]
		if peer.IPBlock != nil {
			block, err := compileBlock(peer.IPBlock)
			if err != nil {
				complain(err)
				continue
			}
			compiled.blocks = append(compiled.blocks, block)
			continue
		}
		pods, err := c.selectPeers(namespace, peer)
		if err != nil {
			complain(err)
			continue
		}
		for _, pod := range pods {
			for _, address := range pod.addresses {
				compiled.pods[address] = struct{}{}
			}
		}
	}
	return compiled
}

func compileBlock(given *networkingv1.IPBlock) (block, error) {
	within, err := parsePrefix(given.CIDR)
	if err != nil {
		return block{}, fmt.Errorf("ipBlock: %w", err)
	}
	compiled := block{within: within}
	for _, text := range given.Except {
		hole, err := parsePrefix(text)
		if err != nil {
			return block{}, fmt.Errorf("ipBlock except: %w", err)
		}
		compiled.without = append(compiled.without, hole)
	}
	return compiled, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a range of addresses: %w", text, err)
	}
	if !prefix.Addr().Is4() {
		return netip.Prefix{}, fmt.Errorf("%s matches nothing: pods have IPv4 addresses only", text)
	}
	return prefix, nil
}
