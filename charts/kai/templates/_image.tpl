{{/*
Which image is installed. What values leave open is that of the release: the annotation `image` of the chart, whose registry
gives way to one of the values. A digest beats a tag: the tag of a pinned image says nothing.
*/}}
{{- define "kai.image" -}}
{{- $image := ternary dict (.Values.image | default dict) (not (empty (include "kai.imageIsPredecessors" .))) -}}
{{- $registry := include "kai.imageRegistry" . -}}
{{- $repository := $image.repository -}}
{{- if not $repository -}}
  {{- $repository = include "kai.imageReleased" . -}}
  {{- if $registry }}{{ $repository = regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" $repository "" }}{{ end -}}
{{- end -}}
{{- with $registry }}{{ . }}/{{ end }}{{ $repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default (printf "v%s" .Chart.AppVersion) }}{{ end -}}
{{- end -}}

{{- define "kai.imageRegistry" -}}
{{- $global := .Values.global | default dict -}}
{{- coalesce (.Values.image | default dict).registry $global.imageRegistry $global.imageRegistryHost | default "" | trimSuffix "/" -}}
{{- end -}}

{{/* A chart that no release has packed says `kai`, which is in no public registry. */}}
{{- define "kai.imageReleased" -}}
{{- (.Chart.Annotations | default dict).image | default "kai" -}}
{{- end -}}

{{/*
Whether values name KAI's own image. KAI's chart does, so that a copy of its values has it although nobody chose it; it has no
server, so its pod would never be ready here, and it is left out. kai's versions begin at 1.
*/}}
{{- define "kai.imageIsPredecessors" -}}
{{- $image := .Values.image | default dict -}}
{{- if regexMatch "^((index\\.)?docker\\.io/)?anchore/kai$" (toString $image.repository) -}}
  {{- if not (regexMatch "^v?[1-9]" (toString $image.tag)) }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/* Whether nothing says which registry has the image. */}}
{{- define "kai.imageIsNowhere" -}}
{{- $named := and (.Values.image | default dict).repository (not (include "kai.imageIsPredecessors" .)) -}}
{{- if not (or $named (include "kai.imageRegistry" .) (contains "/" (include "kai.imageReleased" .))) }}true{{ end -}}
{{- end -}}
