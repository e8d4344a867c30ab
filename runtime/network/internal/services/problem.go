package services

import (
	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// Reasons of Problems, in the form that the API's events have.
const (
	// ReasonUnsupportedProtocol is a Service port that is neither TCP nor UDP.
	ReasonUnsupportedProtocol = "UnsupportedProtocol"
	// ReasonUnsupportedAddressType is an EndpointSlice whose addresses are not IPv4.
	ReasonUnsupportedAddressType = "UnsupportedAddressType"
	// ReasonInvalidAddress is an address that can not be parsed or that nothing can be
	// forwarded to or from.
	ReasonInvalidAddress = "InvalidAddress"
	// ReasonInvalidPort is a port number outside of 1 to 65535, or none.
	ReasonInvalidPort = "InvalidPort"
	// ReasonInvalidSourceRange is a loadBalancerSourceRange that can not be parsed.
	ReasonInvalidSourceRange = "InvalidSourceRange"
	// ReasonPortConflict is an address and port that another Service has already.
	ReasonPortConflict = "PortConflict"
)

// Problem is a part of a Service or EndpointSlice that is not served. Problems are
// comparable: the same trouble with the same object is the same Problem.
type Problem struct {
	// Object has kind, namespace, name and UID, and no resource version.
	Object v1.ObjectReference
	// Reason is one of the Reason constants.
	Reason string
	// Message says in a sentence what is wrong with which part.
	Message string
}

func serviceReference(service *v1.Service) v1.ObjectReference {
	return v1.ObjectReference{
		Kind: "Service", APIVersion: v1.SchemeGroupVersion.String(),
		Namespace: service.Namespace, Name: service.Name, UID: service.UID,
	}
}

func sliceReference(slice *discoveryv1.EndpointSlice) v1.ObjectReference {
	return v1.ObjectReference{
		Kind: "EndpointSlice", APIVersion: discoveryv1.SchemeGroupVersion.String(),
		Namespace: slice.Namespace, Name: slice.Name, UID: slice.UID,
	}
}
