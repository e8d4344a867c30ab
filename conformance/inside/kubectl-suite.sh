#!/bin/bash
# Runs Kubernetes' command-line tests as its hack/make-rules/test-cmd.sh does, but against a cluster that
# runs already instead of an API server of their own. Arguments: the cluster's kubeconfig, and the groups
# to run; none means all. Works in a copy of Kubernetes' files that may be written to, in whose _output/bin
# the programs are.
set -o errexit -o nounset -o pipefail

kubeconfig=$1
shift
WHAT="$*"

server=$(_output/bin/kubectl --kubeconfig "${kubeconfig}" config view -o 'jsonpath={.clusters[0].cluster.server}')
export SECURE_API_PORT=${server##*:}
# Errors name the line of the test.
export KUBE_VERBOSE=4

source hack/lib/init.sh
source hack/lib/test.sh
source test/cmd/legacy-script.sh

kube::util::ensure-temp-dir
kube::util::ensure-gnu-sed
HOME="${KUBE_TEMP}"
# Where upstream's API server leaves its certificate.
cp "$(dirname "${kubeconfig}")/pki/apiserver.crt" "${TMPDIR}/apiserver.crt"
CONTEXT="test"
value() {
  kubectl --kubeconfig "${kubeconfig}" config view --raw -o "jsonpath={.users[0].user.$1}" | base64 --decode
}
value client-certificate-data > "${KUBE_TEMP}/client.crt"
value client-key-data > "${KUBE_TEMP}/client.key"
kubectl config set-credentials test-admin --client-certificate "${KUBE_TEMP}/client.crt" \
  --client-key "${KUBE_TEMP}/client.key" --embed-certs
kubectl config set-cluster local --insecure-skip-tls-verify --server "https://127.0.0.1:${SECURE_API_PORT}"
kubectl config set-context "${CONTEXT}" --user test-admin --cluster local
kubectl config use-context "${CONTEXT}"

# The node without a kubelet that upstream's script makes.
kubectl create -f - << __EOF__
{
  "kind": "Node",
  "apiVersion": "v1",
  "metadata": {"name": "127.0.0.1", "annotations": {"save-managers": "true"}},
  "status": {"capacity": {"memory": "1Gi"}}
}
__EOF__

export SUPPORTED_RESOURCES=("*")
runTests
