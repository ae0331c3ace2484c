package packaging

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/config"
)

const container = "spec.template.spec.containers.0"

// environment is what the chart sets in a node's container, with the names of secrets for their values.
func environment(set object) map[string]string {
	out := make(map[string]string)
	for _, e := range at(set, container+".env").([]any) {
		name := fmt.Sprint(at(e, "name"))
		switch secret := at(e, "valueFrom.secretKeyRef"); {
		case secret != nil:
			out[name] = fmt.Sprint(at(secret, "name"), "/", at(secret, "key"))
		case at(e, "value") != nil:
			out[name] = fmt.Sprint(at(e, "value"))
		}
	}
	return out
}

// What a node in Kubernetes needs: the settings of a cluster, their files, and time to end.
func TestChartRunsACluster(t *testing.T) {
	all, err := render(t, `registry: {url: "etcd://etcd:2379/hexhail"}`)
	require.NoError(t, err)
	set := all["StatefulSet city"]
	require.NotNil(t, set)
	require.Equal(t, 3, at(set, "spec.replicas"))
	require.Equal(t, "city-nodes", at(set, "spec.serviceName"))
	headless := all["Service city-nodes"]
	require.Equal(t, "None", at(headless, "spec.clusterIP"))
	require.Equal(t, true, at(headless, "spec.publishNotReadyAddresses"), "nodes talk to each other before they are ready")

	env := environment(set)
	require.Equal(t, "$(POD_NAME).city-nodes.rides.svc.cluster.local:7070", env["HEXHAIL_ADVERTISE"])
	require.Equal(t, "etcd://etcd:2379/hexhail", env["HEXHAIL_CLUSTER"])
	require.Equal(t, "hexhail-database/url", env["HEXHAIL_DATABASE_URL"])
	names, err := config.Names()
	require.NoError(t, err)
	for name := range env {
		require.True(t, name == "POD_NAME" || slices.ContainsFunc(names, func(n string) bool { return config.EnvName(n) == name }), name)
	}
	// Files are where volumes are.
	for _, name := range []string{"HEXHAIL_CONFIG", "HEXHAIL_SIGNING_KEY_FILE", "HEXHAIL_CLUSTER_CERT", "HEXHAIL_CLUSTER_KEY", "HEXHAIL_CLUSTER_CA"} {
		folder := env[name][:strings.LastIndexByte(env[name], '/')]
		require.True(t, slices.ContainsFunc(at(set, container+".volumeMounts").([]any), func(m any) bool {
			return at(m, "mountPath") == folder && at(m, "readOnly") == true
		}), "no volume for %s", env[name])
	}
	for _, v := range at(set, "spec.template.spec.volumes").([]any) {
		if at(v, "secret") != nil {
			require.Equal(t, 0o440, at(v, "secret.defaultMode"), "keys that others can read are refused")
		}
	}
	require.Equal(t, 65532, at(set, "spec.template.spec.securityContext.fsGroup"), "the account of the image reads keys through its group")

	grace := at(set, "spec.template.spec.terminationGracePeriodSeconds").(int)
	require.Equal(t, []any{"sleep", "5"}, at(set, container+".lifecycle.preStop.exec.command"))
	require.Equal(t, "20s", env["HEXHAIL_SHUTDOWN_GRACE"])
	require.Greater(t, grace, 5+20, "the pod is killed before shutdown-grace has passed")
}

// Probes, security and the settings' own file.
func TestChartIsCareful(t *testing.T) {
	all, err := render(t, everything)
	require.NoError(t, err)
	set := all["StatefulSet city"]
	for probe, path := range map[string]string{"livenessProbe": "/healthz", "readinessProbe": "/readyz"} {
		require.Equal(t, path, at(set, container+"."+probe+".httpGet.path"))
		require.Equal(t, "ops", at(set, container+"."+probe+".httpGet.port"))
	}
	require.Equal(t, "/etc/hexhail/etcd", at(set, container+".volumeMounts.5.mountPath"))
	require.Equal(t, "etcd-client", at(set, "spec.template.spec.volumes.5.secret.secretName"))
	require.Equal(t, true, at(set, "spec.template.spec.securityContext.runAsNonRoot"))
	require.Contains(t, read(t, "Dockerfile"), fmt.Sprintf("\nUSER %v:%v\n",
		at(set, "spec.template.spec.securityContext.runAsUser"), at(set, "spec.template.spec.securityContext.runAsGroup")))
	require.Equal(t, true, at(set, container+".securityContext.readOnlyRootFilesystem"))
	require.Equal(t, []any{"ALL"}, at(set, container+".securityContext.capabilities.drop"))
	require.Equal(t, false, at(set, container+".securityContext.allowPrivilegeEscalation"))
	require.Equal(t, 1, at(all["PodDisruptionBudget city"], "spec.maxUnavailable"))

	// Only nodes reach the nodes' port, and only the monitoring reaches the operations listener.
	rules := at(all["NetworkPolicy city"], "spec.ingress").([]any)
	require.Len(t, rules, 3)
	selector := at(set, "spec.selector.matchLabels")
	require.Equal(t, "nodes", at(rules[1], "ports.0.port"))
	require.Equal(t, []any{object{"podSelector": object{"matchLabels": selector}}}, at(rules[1], "from"))
	require.Equal(t, "ops", at(rules[2], "ports.0.port"))
	require.NotEmpty(t, at(rules[2], "from"))
	labels := at(set, "spec.template.metadata.labels").(object)
	for name, value := range selector.(object) {
		require.Equal(t, value, labels[name])
	}
	monitor := all["ServiceMonitor city"]
	for name, value := range at(monitor, "spec.selector.matchLabels").(object) {
		require.Equal(t, value, at(all["Service city-nodes"], "metadata.labels").(object)[name], "no service for the monitor")
	}

	var settings object
	require.NoError(t, yaml.Unmarshal([]byte(at(all["ConfigMap city"], "data").(object)["hexhail.yaml"].(string)), &settings))
	require.Equal(t, "https://rides.example.org", settings["public-url"])
	names, err := config.Names()
	require.NoError(t, err)
	for name := range settings {
		require.Contains(t, names, name)
	}
	changed, err := render(t, everything+"\nclusterDomain: example.org\nshutdown: {graceSeconds: 60}")
	require.NoError(t, err)
	sum := "spec.template.metadata.annotations"
	require.Equal(t, at(set, sum), at(changed["StatefulSet city"], sum))
	require.Equal(t, 75, at(changed["StatefulSet city"], "spec.template.spec.terminationGracePeriodSeconds"))
	changed, err = render(t, "registry: {url: x}\nsettings: {log-level: debug}")
	require.NoError(t, err)
	require.NotEqual(t, at(set, sum), at(changed["StatefulSet city"], sum), "changed settings restart the nodes")
}

// A server alone has neither registry nor nodes; several without a registry are refused.
func TestChartOfOneServer(t *testing.T) {
	all, err := render(t, "replicas: 1")
	require.NoError(t, err)
	for name := range environment(all["StatefulSet city"]) {
		require.NotContains(t, name, "CLUSTER")
	}
	require.Len(t, at(all["NetworkPolicy city"], "spec.ingress"), 1)
	require.NotContains(t, all, "ServiceMonitor city")
	_, err = render(t, "replicas: 2")
	require.ErrorContains(t, err, "needs a registry")
	secret, err := render(t, "registry: {secret: {name: etcd}}")
	require.NoError(t, err)
	require.Equal(t, "etcd/url", environment(secret["StatefulSet city"])["HEXHAIL_CLUSTER"])
}
