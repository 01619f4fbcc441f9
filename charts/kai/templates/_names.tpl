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

{{- define "kai.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{- define "kai.serviceAccountName" -}}
{{- $account := .Values.serviceAccount | default dict -}}
{{- $account.name | default (ternary (include "kai.fullname" .) "default" (ne (toString $account.create) "false")) -}}
{{- end -}}

{{- define "kai.selectorLabels" -}}
{{- toYaml (dict "app.kubernetes.io/name" (include "kai.name" .) "app.kubernetes.io/instance" .Release.Name) -}}
{{- end -}}

{{/* Labels of every object but pods; `labels` is k8s-inventory's name for them, `kai.labels` KAI's. */}}
{{- define "kai.labels" -}}
{{- $own := include "kai.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- include "kai.texts" (list $own (.Values.kai | default dict).labels .Values.labels) -}}
{{- end -}}

{{/*
Labels or annotations of several sections, the first that has a key counting. The API takes texts alone: null is left out, a
number or a switch is written as one.
*/}}
{{- define "kai.texts" -}}
{{- $texts := dict -}}
{{- range . -}}
  {{- range $key, $value := . -}}
    {{- if not (or (hasKey $texts $key) (kindIs "invalid" $value)) -}}
      {{- $_ := set $texts $key (ternary $value (toJson $value) (kindIs "string" $value)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- with $texts }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* Labels and annotations of an object. */}}
{{- define "kai.metadata" -}}
{{- include "kai.metadataWith" (dict "root" .) -}}
{{- end -}}

{{- define "kai.workloadMetadata" -}}
{{- include "kai.metadataWith" (dict "root" . "annotations" .Values.deploymentAnnotations) -}}
{{- end -}}

{{/* The same with annotations of the object's own, which take precedence. */}}
{{- define "kai.metadataWith" -}}
labels:
  {{- include "kai.labels" .root | nindent 2 }}
{{- with include "kai.texts" (list .annotations .root.Values.annotations) }}
annotations:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}
