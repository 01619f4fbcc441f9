{{/*
Names and labels. An upgrade in place from KAI's chart needs the names of objects and the selector labels to stay what they
were: selectors cannot be changed.
*/}}

{{- define "kai.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of most objects: the release's, with the chart's behind it unless it is in there. */}}
{{- define "kai.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $full | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "kai.serviceAccountName" -}}
{{- $account := .Values.serviceAccount | default dict -}}
{{- $account.name | default (ternary (include "kai.fullname" .) "default" (ne (toString $account.create) "false")) -}}
{{- end -}}

{{- define "kai.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kai.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of every object but pods; `labels` is the successor's name of these, `kai.labels` KAI's. */}}
{{- define "kai.labels" -}}
{{- $labels := dict -}}
{{- range list .Values.labels (.Values.kai | default dict).labels -}}
{{- range $key, $value := . }}{{ $_ := set $labels $key (toString $value) }}{{ end -}}
{{- end -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- $_ := set $labels "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .Release.Service -}}
{{- toYaml (merge (include "kai.selectorLabels" . | fromYaml) $labels) -}}
{{- end -}}

{{/* What stands under `metadata` besides name and namespace. */}}
{{- define "kai.metadata" -}}
labels:
  {{- include "kai.labels" . | nindent 2 }}
{{- with .Values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
