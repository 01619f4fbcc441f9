{{/* What would start and then fail, or do harm, fails here, with the value to change. */}}
{{- define "kai.checks" -}}
{{- $root := .root -}}
{{- $model := .model -}}
{{- $config := $model.config -}}
{{- $given := dict "root" $root "config" $config -}}
{{- $extraSources := or $root.Values.extraEnvFrom $model.inject -}}

{{- if $model.pushes -}}
  {{- if not (include "kai.given" (merge (dict "key" "kubeconfig.cluster") $given)) -}}
    {{- fail "kai.kubeconfig.cluster: is empty, and kai.anchore.url is set; set the name of this cluster in Anchore: clusters with the same name overwrite each other there" -}}
  {{- end -}}
  {{- if and (gt (int ($root.Values.replicaCount | default 1)) 1) (ne $model.mode "adhoc") -}}
    {{- fail (printf "replicaCount: %d is too many while kai.anchore.url is set, because every replica would send the same reports; set 1, or install a second release without a URL for more readers" (int $root.Values.replicaCount)) -}}
  {{- end -}}
  {{- $password := or $model.existingSecret $model.secrets.KAI_ANCHORE_PASSWORD $extraSources
      (include "kai.given" (merge (dict "key" "anchore.password") $given)) (include "kai.given" (merge (dict "key" "anchore.password-file") $given)) -}}
  {{- if not $password -}}
    {{- fail "kai.anchore.password: is empty, and kai.anchore.url is set; name a Secret with KAI_ANCHORE_PASSWORD in kai.existingSecret, or set kai.anchore.password or kai.anchore.passwordFile, or inject_secrets_via_env" -}}
  {{- end -}}
{{- end -}}

{{- if and $model.secrets.KAI_ANCHORE_PASSWORD (include "kai.get" (dict "config" $config "key" "anchore.password-file")) -}}
  {{- fail "kai.anchore.passwordFile: is set, and so is kai.anchore.password; keep one of them" -}}
{{- end -}}
{{- include "kai.imageChecks" $root -}}
{{- if and ($root.Values.rbac | default dict).namespaces (include "kai.given" (merge (dict "key" "history.postgres.url") $given)) (not (include "kai.given" (merge (dict "key" "history.postgres.cluster-id") $given))) -}}
  {{- fail "kai.history.postgres.clusterId: is empty, and rbac.namespaces lets kai not get the namespace kube-system, whose uid tells clusters apart; set a name that no other cluster has" -}}
{{- end -}}
{{- if $model.claim -}}
  {{- if eq $model.mode "adhoc" -}}
    {{- fail "history.persistence.enabled: is true, and kai.mode is adhoc, which keeps no history; set one of them differently" -}}
  {{- end -}}
  {{- if gt (int ($root.Values.replicaCount | default 1)) 1 -}}
    {{- fail (printf "replicaCount: %d is too many while history.persistence.enabled is true, because one process has the file; set 1, or share a history in PostgreSQL (kai.history.postgres.url)" (int $root.Values.replicaCount)) -}}
  {{- end -}}
{{- end -}}
{{- include "kai.accessChecks" $root.Values -}}
{{- if and (include "kai.isTrue" $root.Values.useExistingSecret) (not $model.existingSecret) -}}
  {{- fail "existingSecretName: is empty, and useExistingSecret is set; name the Secret in kai.existingSecret" -}}
{{- end -}}
{{- if and $model.inject $model.secrets -}}
  {{- fail (printf "inject_secrets_via_env: is true, so the chart makes no Secret, and these values would be lost; inject them as the variables %s, and write $NAME or nothing in the values" (keys $model.secrets | sortAlpha | join ", ")) -}}
{{- end -}}
{{- include "kai.leaks" $config -}}
{{- if not (or $extraSources $model.existingSecret) -}}
  {{- include "kai.references" (dict "root" $root "model" $model) -}}
{{- end -}}

{{- if and $model.tls (not $model.probePort) (include "kai.given" (merge (dict "key" "server.tls.client-ca") $given)) (ne $model.mode "adhoc") -}}
  {{- fail "kai.server.probeListen: is empty, and kai.server.tls.clientCa requires a certificate, which the kubelet's probes do not have; set it, for example \"[::]:8081\"" -}}
{{- end -}}
{{- $listen := toString ((get $config "server" | default dict).listen | default ":8080") -}}
{{- if not (or $model.port (eq (lower $listen) "none")) -}}
  {{- fail (printf "kai.server.listen: %q has no port; write, for example, \"[::]:8080\", or \"none\" to serve nothing" $listen) -}}
{{- end -}}
{{- end -}}

{{/* Ways to kai that the API server would refuse, or that would lead nowhere. */}}
{{- define "kai.accessChecks" -}}
{{- $service := .service | default dict -}}
{{- $type := $service.type | default "ClusterIP" -}}
{{- if and $service.nodePort (eq $type "ClusterIP") -}}
  {{- fail (printf "service.nodePort: is %d, and service.type is ClusterIP, which has no node port; set service.type to NodePort or LoadBalancer" (int $service.nodePort)) -}}
{{- end -}}
{{- if and $service.loadBalancerClass (ne $type "LoadBalancer") -}}
  {{- fail (printf "service.loadBalancerClass: is %q, and service.type is %s; set service.type to LoadBalancer" $service.loadBalancerClass $type) -}}
{{- end -}}
{{- $ingress := .ingress | default dict -}}
{{- if and (include "kai.isTrue" $ingress.enabled) (not $ingress.hosts) -}}
  {{- fail "ingress.hosts: is empty, and ingress.enabled is true; name a host, as in [{host: kai.example.com}]" -}}
{{- end -}}
{{- $route := .httpRoute | default dict -}}
{{- if and (include "kai.isTrue" $route.enabled) (not $route.parentRefs) -}}
  {{- fail "httpRoute.parentRefs: is empty, and httpRoute.enabled is true; name a Gateway, as in [{name: gateway, namespace: gateways}]" -}}
{{- end -}}
{{- if and (include "kai.isTrue" (.serviceMonitor | default dict).enabled) (include "kai.isTrue" (.podMonitor | default dict).enabled) -}}
  {{- fail "podMonitor.enabled: is true, and so is serviceMonitor.enabled, so Prometheus would read every series twice; keep one of them" -}}
{{- end -}}
{{- end -}}

{{/* What is secret at a place from which it would go into the ConfigMap. The value is not shown. */}}
{{- define "kai.leaks" -}}
{{- /* In base64 it reads otherwise by where it begins: three ways for one text. Line ends may stand in it. */ -}}
{{- if regexMatch "PRIVATE KEY-----|UFJJVkFURSBLRVkt|BSSVZBVEUgS0VZLS|QUklWQVRFIEtFWS" (toJson . | replace "\\n" "") -}}
  {{- fail "a value under kai holds a private key, which would be put into a ConfigMap; put it into a Secret, mount that by extraVolumes and extraVolumeMounts, and write the path" -}}
{{- end -}}
{{- $key := include "kai.get" (dict "config" . "key" "anchore.http.client-key") -}}
{{- if regexMatch "(?s)^(M[A-Za-z0-9+/=\\s]{59,}|LS0tLS1CRUdJTi.*)$" $key -}}
  {{- fail "kai.anchore.http.clientKey: is base64, and would be put into a ConfigMap as the path of a file; write PEM text as it is, with its BEGIN and END lines, or the path of a mounted file" -}}
{{- end -}}
{{- if contains "@" (include "kai.get" (dict "config" . "key" "anchore.url")) -}}
  {{- fail "kai.anchore.url: has an @, and kai accepts no user or password in a URL; set kai.anchore.user, and put the password into kai.existingSecret" -}}
{{- end -}}
{{- end -}}

{{/* `$NAME` with nothing that could bring the variable NAME, where kai would not start. The value may be a password, and is not shown. */}}
{{- define "kai.references" -}}
{{- $values := dict -}}
{{- range list "kubeconfig.user.token" "kubeconfig.user.private-key" -}}
  {{- $_ := set $values . (include "kai.get" (dict "config" $.model.config "key" .)) -}}
{{- end -}}
{{- if $.model.pushes -}}
  {{- range list "anchore.user" "anchore.password" "anchore.http.proxy" "anchore.http.client-certificate" "anchore.http.client-key" -}}
    {{- $_ := set $values . (include "kai.get" (dict "config" $.model.config "key" .)) -}}
  {{- end -}}
  {{- range $account, $route := get $.model.config "account-routes" | default dict -}}
    {{- $_ := set $values (printf "account-routes.%s.user" $account) (toString ((default dict $route).user | default "")) -}}
    {{- $_ := set $values (printf "account-routes.%s.password" $account) (toString ((default dict $route).password | default "")) -}}
  {{- end -}}
{{- end -}}
{{- range $key, $value := $values -}}
  {{- $name := include "kai.reference" $value -}}
  {{- if and $name (not (hasKey $.model.secrets $name)) -}}
    {{- $brought := false -}}
    {{- range $.root.Values.extraEnv }}{{ if eq (toString .name) $name }}{{ $brought = true }}{{ end }}{{ end -}}
    {{- if not $brought -}}
      {{- fail (printf "%s: is $NAME, which stands for a variable, and nothing sets variables in the pod; set it with kai.existingSecret, extraEnv or extraEnvFrom. If the text is the password itself, put it into kai.existingSecret, where a $ has no meaning" $key) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* Images in which there is no kai that serves. */}}
{{- define "kai.imageChecks" -}}
{{- $image := .Values.image | default dict -}}
{{- if contains "k8s-inventory" (toString $image.repository) -}}
  {{- fail (printf "image.repository: %q is k8s-inventory's image, which has no kai in it; remove image from the values, or set it to kai's" $image.repository) -}}
{{- end -}}
{{- if and (regexMatch "^v?0\\." (toString $image.tag)) (not $image.digest) (not (include "kai.imageIsPredecessors" .)) -}}
  {{- fail (printf "image.tag: %q is a version of KAI, whose image has no server, so its pod would never be ready; remove image.tag, kai's versions begin at v1.0.0" $image.tag) -}}
{{- end -}}
{{- end -}}
