{{/*
Moves what is secret out of `config` into `secrets`, variables of the chart's Secret. `$NAME` stays: kai replaces it by that
variable. So does the path of a file where kai takes one.
*/}}
{{- define "kai.secrets" -}}
{{- $config := .config -}}
{{- $secrets := .secrets -}}
{{- $keys := list "anchore.password" "anchore.http.proxy" "anchore.http.client-certificate" "anchore.http.client-key"
    "kubeconfig.user.private-key" "kubeconfig.user.token" -}}
{{- range $key := $keys -}}
  {{- $value := include "kai.get" (dict "config" $config "key" $key) -}}
  {{- if and $value (include "kai.isSecret" (dict "key" $key "value" $value)) -}}
    {{- $_ := set $secrets (include "kai.variable" $key) $value -}}
    {{- $parts := splitList "." $key -}}
    {{- $section := $config -}}
    {{- range initial $parts }}{{ $section = get $section . }}{{ end -}}
    {{- $_ := unset $section (last $parts) -}}
  {{- end -}}
{{- end -}}
{{- range $account, $route := get $config "account-routes" | default dict -}}
  {{- $password := toString ((default dict $route).password | default "") -}}
  {{- if include "kai.isSecret" (dict "key" "account-routes.password" "value" $password) -}}
    {{- $variable := include "kai.routeVariable" $account -}}
    {{- $_ := set $secrets $variable $password -}}
    {{- $_ := set $route "password" (printf "$%s" $variable) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{- define "kai.isSecret" -}}
{{- if or (not .value) (include "kai.reference" .value) -}}
{{- else if eq .key "anchore.http.proxy" -}}
  {{- if contains "@" .value }}true{{ end -}}
{{- else if hasPrefix "anchore.http.client-" .key -}}
  {{- if contains "-----BEGIN" .value }}true{{ end -}}
{{- else }}true{{ end -}}
{{- end -}}

{{/* The `NAME` of a text that is `$NAME` or `${NAME}` as a whole, which kai replaces by that variable. */}}
{{- define "kai.reference" -}}
{{- if regexMatch "^\\$([A-Za-z_][A-Za-z0-9_]*|\\{[A-Za-z_][A-Za-z0-9_]*\\})$" . }}{{ trimAll "${}" . }}{{ end -}}
{{- end -}}

{{/* Two accounts never share a variable: the hash tells apart what the letters do not. */}}
{{- define "kai.routeVariable" -}}
ROUTE_{{ regexReplaceAll "[^A-Z0-9]+" (upper .) "_" }}_{{ . | sha256sum | trunc 8 | upper }}_PASSWORD
{{- end -}}
