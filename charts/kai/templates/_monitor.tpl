{{/*
What a ServiceMonitor and a PodMonitor have in common: `root`, `model`, the section of values `monitor`, and `endpoints`, the
field that the kind has for them.
*/}}
{{- define "kai.monitor" -}}
{{- $monitor := .monitor -}}
{{- $endpoints := .endpoints -}}
{{- $port := ternary "probes" "http" (gt (int .model.probePort) 0) -}}
{{- $scheme := $monitor.scheme | default (ternary "https" "" (and .model.tls (eq $port "http"))) -}}
{{- with .root -}}
metadata:
  name: {{ include "kai.fullname" . }}
  namespace: {{ $monitor.namespace | default (include "kai.namespace" .) }}
  labels:
    {{- include "kai.texts" (list (include "kai.labels" . | fromYaml) $monitor.labels) | nindent 4 }}
spec:
  {{- with $monitor.namespace }}
  namespaceSelector:
    matchNames:
      - {{ include "kai.namespace" $.root }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "kai.selectorLabels" . | nindent 6 }}
  {{ $endpoints }}:
    - port: {{ $port }}
      path: /metrics
      # `namespace` of kai_image_info is that of the image, not of kai.
      honorLabels: {{ ne (toString $monitor.honorLabels) "false" }}
      {{- with $scheme }}
      scheme: {{ . }}
      {{- if eq . "https" }}
      {{- with $monitor.tlsConfig }}
      tlsConfig:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
      {{- end }}
      {{- with $monitor.interval }}
      interval: {{ . }}
      {{- end }}
      {{- with $monitor.scrapeTimeout }}
      scrapeTimeout: {{ . }}
      {{- end }}
      {{- with $monitor.relabelings }}
      relabelings:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $monitor.metricRelabelings }}
      metricRelabelings:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
{{- end -}}
