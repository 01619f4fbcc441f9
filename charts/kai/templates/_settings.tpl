{{/*
From values to kai's configuration. Every template reads the outcome, `kai.model`:

  config          the configuration file, under kai's own keys
  secrets         variables for the chart's own Secret: what must not stand in a ConfigMap
  existingSecret  name of the user's Secret, or empty
  inject          variables come from outside, so no Secret is referred to
  legacyVariable  the key of k8s-inventory's Secret that has the password, or empty
  mounts          Secrets to mount, by the name of the volume
  claim           name of the volume claim of the history, or empty
  pushes          whether anything is sent to Anchore
  port, probePort 0: nothing listens there
  tls             whether `port` speaks TLS
*/}}
{{- define "kai.model" -}}
{{- $values := deepCopy (.Values.kai | default dict) -}}
{{- $_ := include "kai.overlay" (dict "on" $values "from" (.Values.k8sInventory | default dict)) -}}
{{- $config := dict -}}
{{- $_ := include "kai.map" (dict "from" $values "to" $config "path" "") -}}
{{- $mounts := dict -}}
{{- $_ := include "kai.mount" (dict "values" $values "config" $config "mounts" $mounts) -}}
{{- $_ := include "kai.onlyNamespaces" (dict "root" . "config" $config) -}}

{{- /* k8s-inventory's chart writes a default account without a label, which does nothing, and kai would warn. */ -}}
{{- if not (include "kai.given" (dict "root" . "config" $config "key" "account-route-by-namespace-label.key")) -}}
  {{- $_ := unset $config "account-route-by-namespace-label" -}}
{{- end -}}
{{- /* kai's own default would end after one report. */ -}}
{{- if not $config.mode }}{{ $_ := set $config "mode" "periodic" }}{{ end -}}

{{- $inject := or (include "kai.isTrue" .Values.inject_secrets_via_env) (include "kai.isTrue" .Values.injectSecretsViaEnv) -}}
{{- $existing := coalesce $values.existingSecret $values.existing_secret -}}
{{- $legacy := "" -}}
{{- if and (not $existing) (include "kai.isTrue" .Values.useExistingSecret) -}}
  {{- $existing = .Values.existingSecretName -}}
  {{- if not $inject }}{{ $legacy = "ANCHORE_K8S_INVENTORY_ANCHORE_PASSWORD" }}{{ end -}}
{{- end -}}
{{- $secrets := dict -}}
{{- $_ := include "kai.secrets" (dict "config" $config "secrets" $secrets) -}}
{{- if or $existing $inject }}{{ $_ := unset $secrets "KAI_ANCHORE_PASSWORD" }}{{ end -}}

{{- $server := $config.server | default dict -}}
{{- $listen := toString (index $server "listen" | default ":8080") -}}
{{- $model := dict "config" $config "secrets" $secrets "mounts" $mounts "existingSecret" ($existing | default "") "inject" (not (empty $inject))
    "legacyVariable" $legacy "tls" (hasKey $server "tls") "mode" $config.mode
    "port" (regexFind "[0-9]+$" $listen | default "0" | int)
    "probePort" (regexFind "[0-9]+$" (toString (index $server "probe-listen" | default "")) | default "0" | int)
    "claim" (include "kai.claim" (dict "root" . "config" $config))
    "pushes" (not (empty (include "kai.given" (dict "root" . "config" $config "key" "anchore.url")))) -}}
{{- include "kai.checks" (dict "root" . "values" $values "model" $model) -}}
{{- toYaml $model -}}
{{- end -}}

{{/* Values that are for the chart alone, and the sections whose keys users choose. */}}
{{- define "kai.chartOnly" -}}
existingSecret existing_secret labels schedule anchore.caSecret server.tls.secretName history.postgres.passwordSecret
{{- end -}}
{{- define "kai.usersOwn" -}}
accountRoutes
{{- end -}}

{{/*
Every value of the section `from` goes to `to` under kai's own key: pollingIntervalSeconds is polling-interval-seconds.
What says nothing (null, an empty text, list or section) is left out, so that kai's own default counts.
*/}}
{{- define "kai.map" -}}
{{- $path := .path -}}
{{- $to := .to -}}
{{- $chartOnly := splitList " " (include "kai.chartOnly" .) -}}
{{- $usersOwn := splitList " " (include "kai.usersOwn" .) -}}
{{- range $key, $value := .from -}}
  {{- $here := ternary $key (printf "%s.%s" $path $key) (empty $path) -}}
  {{- $name := regexReplaceAll "([a-z0-9])([A-Z])" $key "${1}-${2}" | lower -}}
  {{- if has $here $chartOnly -}}
  {{- else if has $here $usersOwn -}}
    {{- with $value }}{{ $_ := set $to $name (deepCopy .) }}{{ end -}}
  {{- else if kindIs "map" $value -}}
    {{- $section := dict -}}
    {{- $_ := include "kai.map" (dict "from" $value "to" $section "path" $here) -}}
    {{- with $section }}{{ $_ := set $to $name . }}{{ end -}}
  {{- else if not (or (kindIs "invalid" $value) (and (empty $value) (or (kindIs "string" $value) (kindIs "slice" $value)))) -}}
    {{- $_ := set $to $name $value -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* Lays the section `from` over the section `on`. Sprig's merges skip what is false or 0. */}}
{{- define "kai.overlay" -}}
{{- $on := .on -}}
{{- range $key, $value := .from -}}
  {{- if and (kindIs "map" $value) (kindIs "map" (get $on $key)) -}}
    {{- $_ := include "kai.overlay" (dict "on" (get $on $key) "from" $value) -}}
  {{- else if not (kindIs "invalid" $value) -}}
    {{- $_ := set $on $key $value -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* Sets the key `key` (with dots) of `config`, with the sections that it needs. */}}
{{- define "kai.set" -}}
{{- $section := .config -}}
{{- $parts := splitList "." .key -}}
{{- range initial $parts -}}
  {{- if not (hasKey $section .) }}{{ $_ := set $section . dict }}{{ end -}}
  {{- $section = get $section . -}}
{{- end -}}
{{- $_ := set $section (last $parts) .value -}}
{{- end -}}

{{/* The value of the key `key` (with dots), or nothing. */}}
{{- define "kai.get" -}}
{{- $section := .config -}}
{{- $parts := splitList "." .key -}}
{{- range initial $parts }}{{ $section = get $section . | default dict }}{{ end -}}
{{- get $section (last $parts) -}}
{{- end -}}

{{- define "kai.isTrue" -}}
{{- if eq (toString .) "true" }}true{{ end -}}
{{- end -}}

{{/* The variable of a key. */}}
{{- define "kai.variable" -}}
KAI_{{ . | replace "." "_" | replace "-" "_" | upper }}
{{- end -}}

{{/* Whether a key is set, in values or as a variable in extraEnv. */}}
{{- define "kai.given" -}}
{{- $variable := include "kai.variable" .key -}}
{{- include "kai.get" (dict "config" .config "key" .key) -}}
{{- range .root.Values.extraEnv }}{{ if eq (toString .name) $variable }}{{ $variable }}{{ end }}{{ end -}}
{{- end -}}

{{/* Files of Secrets that the chart mounts, under the keys that name them. */}}
{{- define "kai.mount" -}}
{{- $config := .config -}}
{{- $ca := (.values.anchore | default dict).caSecret | default dict -}}
{{- if $ca.name -}}
  {{- if include "kai.get" (dict "config" $config "key" "anchore.http.ca-certificate") -}}
    {{- fail (printf "kai.anchore.caSecret.name: %q is set, and so is kai.anchore.http.caCertificate; keep one of them" $ca.name) -}}
  {{- end -}}
  {{- $_ := include "kai.set" (dict "config" $config "key" "anchore.http.ca-certificate"
      "value" (printf "/etc/kai/anchore-ca/%s" ($ca.key | default "ca.crt"))) -}}
  {{- $_ := set .mounts "anchore-ca" (dict "secret" $ca.name "path" "/etc/kai/anchore-ca") -}}
{{- end -}}
{{- $postgres := (.values.history | default dict).postgres | default dict -}}
{{- $password := $postgres.passwordSecret | default dict -}}
{{- if $password.name -}}
  {{- if $postgres.passwordFile -}}
    {{- fail (printf "kai.history.postgres.passwordSecret.name: %q is set, and so is kai.history.postgres.passwordFile; keep one of them" $password.name) -}}
  {{- end -}}
  {{- $_ := include "kai.set" (dict "config" $config "key" "history.postgres.password-file"
      "value" (printf "/etc/kai/history-postgres/%s" ($password.key | default "password"))) -}}
  {{- $_ := set .mounts "history-postgres" (dict "secret" $password.name "path" "/etc/kai/history-postgres") -}}
{{- end -}}
{{- $tls := (.values.server | default dict).tls | default dict -}}
{{- if $tls.secretName -}}
  {{- if or $tls.certificate $tls.privateKey -}}
    {{- fail (printf "kai.server.tls.secretName: %q is set, and so is kai.server.tls.certificate or .privateKey; keep one of them" $tls.secretName) -}}
  {{- end -}}
  {{- $_ := include "kai.set" (dict "config" $config "key" "server.tls.certificate" "value" "/etc/kai/tls/tls.crt") -}}
  {{- $_ := include "kai.set" (dict "config" $config "key" "server.tls.private-key" "value" "/etc/kai/tls/tls.key") -}}
  {{- $_ := set .mounts "tls" (dict "secret" $tls.secretName "path" "/etc/kai/tls") -}}
{{- end -}}
{{- end -}}

{{/* The volume claim of the history, with the path of its file. */}}
{{- define "kai.claim" -}}
{{- $persistence := (.root.Values.history | default dict).persistence | default dict -}}
{{- if include "kai.isTrue" $persistence.enabled -}}
  {{- if not (include "kai.given" (dict "root" .root "config" .config "key" "history.path")) -}}
    {{- $_ := include "kai.set" (dict "config" .config "key" "history.path" "value" "/data/history.db") -}}
  {{- end -}}
  {{- $persistence.existingClaim | default (printf "%s-history" (include "kai.fullname" .root | trunc 55 | trimSuffix "-")) -}}
{{- end -}}
{{- end -}}

{{/* With rights in some namespaces alone, kai reads those alone. */}}
{{- define "kai.onlyNamespaces" -}}
{{- $config := .config -}}
{{- with (.root.Values.rbac | default dict).namespaces -}}
  {{- $allowed := . -}}
  {{- $selectors := get $config "namespace-selectors" | default dict -}}
  {{- $include := get $selectors "include" | default (without (get $config "namespaces" | default list) "all") -}}
  {{- range $include -}}
    {{- if not (has . $allowed) -}}
      {{- fail (printf "kai.namespaceSelectors.include: %q is not one of rbac.namespaces (%s), so kai may not read it; add it there or take it out here" . (join ", " $allowed)) -}}
    {{- end -}}
  {{- end -}}
  {{- $_ := include "kai.set" (dict "config" $config "key" "namespace-selectors.include" "value" ($include | default $allowed)) -}}
  {{- $_ := unset $config "namespaces" -}}
{{- end -}}
{{- end -}}
