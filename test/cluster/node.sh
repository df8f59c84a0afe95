#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The first process of a cluster's namespaces: makes its network, keys and configuration, starts the components and keeps them running. Started by
# cluster.sh alone, with the tools on PATH: node.sh STATE. What each component says is in STATE/logs, its process number in STATE/components.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
NODE_ADDRESS=192.0.2.10      # RFC 5737: of no real network
SERVICES=10.96.0.0/16 PODS=10.244.0.0/24
DNS_SERVICE=10.96.0.10
# The world's name server, which the test zones are delegated to: a Pod behind this Service (test/e2e).
ZONE_SERVICE=10.96.0.53

own_mounts() {
  mount --make-rprivate /
  mkdir -p /var/lib/cni /var/log/containers /var/log/pods
  local folder
  for folder in /run /var/lib/cni /var/log/containers /var/log/pods; do mount -t tmpfs tmpfs "$folder"; done # the cluster's, not the machine's
  printf 'nameserver %s\n' "$DNS_SERVICE" >resolv.conf
  mount --bind resolv.conf /etc/resolv.conf
}

own_control_group() {
  local name hierarchy
  name=kmspool-$(head -c4 /dev/urandom | od -An -tx4 | tr -d ' ')
  echo "$name" >cgroup
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    for hierarchy in cpu cpuset memory pids io; do echo "+$hierarchy" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true; done
    mkdir "/sys/fs/cgroup/$name"
    return
  fi
  # Version 1: the kubelet wants its root in every hierarchy, and a cpuset begins without processors.
  for hierarchy in /sys/fs/cgroup/*/; do
    [[ $hierarchy != */unified/ && -e $hierarchy/cgroup.procs ]] || continue
    mkdir "$hierarchy/$name"
    [ ! -e "$hierarchy/cpuset.cpus" ] || { cat "$hierarchy/cpuset.cpus" >"$hierarchy/$name/cpuset.cpus"; cat "$hierarchy/cpuset.mems" >"$hierarchy/$name/cpuset.mems"; }
  done
}

own_network() {
  ip link set lo up
  # The node's own interface is a bridge: not every kernel has a dummy device.
  ip link add node0 type bridge
  ip address add "$NODE_ADDRESS/24" dev node0
  ip link set node0 up
  ip route add default dev node0
  sysctl -qw net.ipv4.ip_forward=1
}

certificate() { # NAME SUBJECT ALTNAMES
  openssl req -newkey rsa:2048 -nodes -keyout "pki/$1.key" -out "pki/$1.csr" -subj "$2" 2>/dev/null
  openssl x509 -req -in "pki/$1.csr" -CA pki/ca.crt -CAkey pki/ca.key -CAcreateserial -days 30 -out "pki/$1.crt" \
    -extfile <(printf 'subjectAltName=%s\n' "$3") 2>/dev/null
}

kubeconfig() { # NAME
  cat >"$1.kubeconfig" <<X
apiVersion: v1
kind: Config
clusters: [{name: cluster, cluster: {server: "https://127.0.0.1:6443", certificate-authority: "$PWD/pki/ca.crt"}}]
users: [{name: $1, user: {client-certificate: "$PWD/pki/$1.crt", client-key: "$PWD/pki/$1.key"}}]
contexts: [{name: $1, context: {cluster: cluster, user: $1}}]
current-context: $1
X
}

own_keys() {
  mkdir -p pki
  openssl genrsa -out pki/sa.key 2048 2>/dev/null
  openssl rsa -in pki/sa.key -pubout -out pki/sa.pub 2>/dev/null
  openssl req -x509 -newkey rsa:2048 -nodes -keyout pki/ca.key -out pki/ca.crt -days 30 -subj /CN=test-ca 2>/dev/null
  certificate apiserver /CN=kube-apiserver "DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1,IP:$NODE_ADDRESS"
  certificate admin /O=system:masters/CN=admin DNS:admin
  certificate kubelet /O=system:nodes/CN=system:node:node1 DNS:node1
  kubeconfig admin
  kubeconfig kubelet
}

configure() {
  mkdir -p cni run logs components
  cat >cni/10-pods.conflist <<X
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$PODS"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "$PWD/cni-data"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
X
  cat >containerd.toml <<X
version = 3
root = "$PWD/containerd"
state = "$PWD/run/containerd"
[grpc]
  address = "$PWD/run/containerd.sock"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "localhost/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "$PWD/cni"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    options = {SystemdCgroup = false}
X
  cat >kubelet.yaml <<X
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /$(cat cgroup)
containerRuntimeEndpoint: unix://$PWD/run/containerd.sock
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PWD/pki/ca.crt}}
authorization: {mode: Webhook}
clusterDNS: [$DNS_SERVICE]
clusterDomain: cluster.local
resolvConf: /dev/null
failSwapOn: false
enforceNodeAllocatable: []
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100 # what was loaded cannot be pulled again
containerLogMaxSize: 100Mi
nodeStatusUpdateFrequency: 4s
podLogsDir: $PWD/podlogs
X
  cat >kube-proxy.yaml <<X
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: $PODS
clientConnection: {kubeconfig: $PWD/admin.kubeconfig}
conntrack: {maxPerCore: 0}
X
}

# Runs a component, and runs it again when it ends, unless cluster.sh has stopped it.
keep() { # COMPONENT CMD…
  local component=$1; shift
  : >"components/$component"
  while :; do
    "$@" >>"logs/$component.log" 2>&1 &
    echo $! >"components/$component"
    wait $! || true
    while [ -e "components/$component.stopped" ]; do sleep 0.1; done
    sleep 0.2
  done &
}

start_control_plane() {
  keep etcd etcd --data-dir etcd --unsafe-no-fsync --log-level warn
  keep kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --advertise-address=$NODE_ADDRESS \
    --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key --client-ca-file=pki/ca.crt \
    --service-account-key-file=pki/sa.pub --service-account-signing-key-file=pki/sa.key \
    --service-account-issuer=https://kubernetes.default.svc --service-cluster-ip-range=$SERVICES \
    --kubelet-client-certificate=pki/admin.crt --kubelet-client-key=pki/admin.key --kubelet-preferred-address-types=InternalIP \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged
  until kubectl --kubeconfig admin.kubeconfig get --raw /readyz >/dev/null 2>&1; do sleep 0.1; done
  keep kube-controller-manager kube-controller-manager --kubeconfig=admin.kubeconfig --service-account-private-key-file=pki/sa.key \
    --root-ca-file=pki/ca.crt --use-service-account-credentials --leader-elect=false --bind-address=127.0.0.1 \
    --cluster-signing-cert-file=pki/ca.crt --cluster-signing-key-file=pki/ca.key
  keep kube-scheduler kube-scheduler --kubeconfig=admin.kubeconfig --leader-elect=false --bind-address=127.0.0.1
}

start_node() {
  keep containerd containerd -c containerd.toml
  keep kubelet kubelet --kubeconfig=kubelet.kubeconfig --config=kubelet.yaml --hostname-override=node1 --node-ip=$NODE_ADDRESS \
    --root-dir="$PWD/kubelet" --cert-dir="$PWD/kubelet-pki"
  keep kube-proxy kube-proxy --config=kube-proxy.yaml --hostname-override=node1
}

own_mounts
own_control_group
own_network
own_keys
configure
start_node # containerd and the kubelet wait for the rest by themselves
start_control_plane
export KUBECONFIG=$PWD/admin.kubeconfig
mapfile -t images < <("$here/images.sh" node)
until ctr --address "$PWD/run/containerd.sock" version >/dev/null 2>&1; do sleep 0.1; done
for image in "${images[@]}"; do ctr --address "$PWD/run/containerd.sock" --namespace k8s.io images import --local "$image" >/dev/null; done
sed "s/DNS_SERVICE/$DNS_SERVICE/; s/ZONE_SERVICE/$ZONE_SERVICE/" "$here/coredns.yaml" >coredns.yaml
until kubectl apply -f coredns.yaml >/dev/null 2>&1; do sleep 0.2; done
until kubectl wait --for=condition=Ready node/node1 --timeout=60s >/dev/null 2>&1; do sleep 0.2; done
until kubectl --namespace kube-system wait --for=condition=Available deployment/coredns --timeout=60s >/dev/null 2>&1; do sleep 0.2; done
until kubectl get serviceaccount default >/dev/null 2>&1; do sleep 0.1; done # Pods need it
touch ready
wait
