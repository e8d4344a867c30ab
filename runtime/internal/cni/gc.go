package cni

import (
	"context"
	"errors"
	"fmt"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/vishvananda/netlink"

	"sandkube.dev/runtime/internal/ipam"
)

// collectGarbage is the operation GC: it removes each attachment that the runtime
// does not list. By the specification it goes on after an error.
func collectGarbage(ctx context.Context, config *Config, _ *skel.CmdArgs) error {
	valid := map[ipam.Owner]bool{}
	validLinks := map[string]bool{}
	for _, listed := range config.ValidAttachments {
		owner := ipam.Owner{ContainerID: listed.ContainerID, Interface: listed.IfName}
		valid[owner] = true
		validLinks[newAttachment(owner).hostLink] = true
	}
	leases, err := config.leases()
	if err != nil {
		return err
	}
	node, err := nodeLinks()
	if err != nil {
		return err
	}
	defer node.Close()
	held, err := leases.Leases(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, lease := range held {
		if !valid[lease.Owner] {
			errs = append(errs, detach(ctx, node, leases, newAttachment(lease.Owner)))
		}
	}
	errs = append(errs, removeStrayPorts(node, config.Bridge, validLinks))
	return errors.Join(errs...)
}

// removeStrayPorts removes pod links that have no lease, as they are left when the
// state directory is lost.
func removeStrayPorts(node *netlink.Handle, bridge string, valid map[string]bool) error {
	ports, err := PodLinks(node, bridge)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range ports {
		if !valid[name] {
			errs = append(errs, RemoveLink(node, name))
		}
	}
	return errors.Join(errs...)
}

// PodLinks returns the names of the pods' links that are ports of a bridge. gVisor
// of 2024-07 does not report the bridge of a port: the list is then empty.
func PodLinks(node *netlink.Handle, bridge string) ([]string, error) {
	link, err := node.LinkByName(bridge)
	if IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up bridge %s: %w", bridge, err)
	}
	links, err := node.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	var names []string
	for _, candidate := range links {
		attributes := candidate.Attrs()
		if attributes.MasterIndex == link.Attrs().Index && hostLinkName.MatchString(attributes.Name) {
			names = append(names, attributes.Name)
		}
	}
	return names, nil
}

// HostLink is the name of the link on the node of an attachment.
func HostLink(owner ipam.Owner) string { return newAttachment(owner).hostLink }

// status is the operation STATUS. A range without a free address is no reason to
// fail: the runtime would declare the whole node unready.
func status(_ context.Context, config *Config, _ *skel.CmdArgs) error {
	node, err := nodeLinks()
	if err != nil {
		return coded(errNotAvailable, err)
	}
	defer node.Close()
	if _, err := node.LinkByName(config.Bridge); err != nil {
		return types.NewError(errNotAvailable, fmt.Sprintf("bridge %s: %v", config.Bridge, err), "")
	}
	_, err = config.leases()
	return coded(errNotAvailable, err)
}
