// Package flags makes the command lines of the control plane's components from the node
// spec. It links none of them, so that whoever runs them in another way, as processes of
// their own, can give them the same settings.
package flags

import (
	"strconv"

	"sandkube.dev/runtime/internal/nodespec"
)

// APIServer returns the flags of kube-apiserver for a datastore at the given etcd endpoint.
func APIServer(spec *nodespec.NodeSpec, datastore string) []string {
	c := spec.ControlPlane
	return []string{
		"--etcd-servers=" + datastore,
		"--bind-address=" + c.BindAddress,
		"--secure-port=" + strconv.Itoa(c.Port),
		"--advertise-address=" + c.AdvertiseAddress,
		"--service-cluster-ip-range=" + c.ServiceRange,
		"--client-ca-file=" + spec.PKI("ca.crt"),
		"--tls-cert-file=" + spec.PKI("apiserver.crt"),
		"--tls-private-key-file=" + spec.PKI("apiserver.key"),
		"--kubelet-certificate-authority=" + spec.PKI("ca.crt"),
		"--kubelet-client-certificate=" + spec.PKI("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + spec.PKI("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + spec.PKI("sa.pub"),
		"--service-account-signing-key-file=" + spec.PKI("sa.key"),
		"--proxy-client-cert-file=" + spec.PKI("front-proxy-client.crt"),
		"--proxy-client-key-file=" + spec.PKI("front-proxy-client.key"),
		"--requestheader-client-ca-file=" + spec.PKI("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		// The aggregator dials endpoints: no proxy carries a ClusterIP for the control plane.
		"--enable-aggregator-routing=true",
		"--profiling=false",
	}
}

// ControllerManager returns the flags of kube-controller-manager.
func ControllerManager(spec *nodespec.NodeSpec) []string {
	c := spec.ControlPlane
	return []string{
		"--kubeconfig=" + spec.Kubeconfig("controller-manager"),
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + spec.PKI("sa.key"),
		"--root-ca-file=" + spec.PKI("ca.crt"),
		"--cluster-signing-cert-file=" + spec.PKI("ca.crt"),
		"--cluster-signing-key-file=" + spec.PKI("ca.key"),
		// At the default of 20 requests a second the controllers' own ServiceAccounts
		// alone take seconds to be made.
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
		"--allocate-node-cidrs=true",
		"--cluster-cidr=" + c.PodRange,
		"--service-cluster-ip-range=" + c.ServiceRange,
		// The only controller manager of the cluster has nobody to be elected against.
		"--leader-elect=false",
		// The default would be made in the sandbox's own /usr.
		"--flex-volume-plugin-dir=" + spec.Path("volume-plugins"),
		// Nothing scrapes it, and a serving port costs a key pair at each start.
		"--secure-port=0",
	}
}

// Scheduler returns the flags of kube-scheduler.
func Scheduler(spec *nodespec.NodeSpec) []string {
	return []string{
		"--kubeconfig=" + spec.Kubeconfig("scheduler"),
		// The only scheduler of the cluster has nobody to be elected against.
		"--leader-elect=false",
		// Nothing scrapes it, and a serving port costs a key pair at each start.
		"--secure-port=0",
	}
}
