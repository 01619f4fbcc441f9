{{/* The pod of the Deployment and of the CronJob: `root`, `model` and `restartPolicy` (empty for a Deployment). */}}
{{- define "kai.pod" -}}
{{- $model := .model -}}
{{- $serves := ne $model.mode "adhoc" -}}
{{- $config := $model.config -}}
{{- with .root -}}
metadata:
  annotations:
    {{- with include "kai.texts" (list .Values.podAnnotations .Values.annotations) }}
    {{- . | nindent 4 }}
    {{- end }}
    checksum/config: {{ toYaml $config | sha256sum }}
    {{- if $model.secrets }}
    checksum/secret: {{ printf "%s/%s %s" (include "kai.namespace" .) (include "kai.fullname" .) (toYaml $model.secrets) | sha256sum }}
    {{- end }}
  labels:
    {{- include "kai.texts" (list (include "kai.selectorLabels" . | fromYaml) .Values.podLabels) | nindent 4 }}
spec:
  {{- with $.restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  serviceAccountName: {{ include "kai.serviceAccountName" . }}
  automountServiceAccountToken: {{ ne (toString (.Values.serviceAccount | default dict).automount) "false" }}
  # A Service called kai would set KAI_PORT and the like, which look like settings.
  enableServiceLinks: false
  {{- $server := $config.server | default dict }}
  # More than kai takes to finish what is under way.
  terminationGracePeriodSeconds: {{ add 10 (int (dig "shutdown-timeout-seconds" 20 $server)) }}
  {{- $hostNetwork := include "kai.isTrue" .Values.hostNetwork }}
  {{- if $hostNetwork }}
  hostNetwork: true
  {{- end }}
  {{- /* On the node's network Kubernetes's own policy, ClusterFirst, is the node's: no Service would be found. */}}
  {{- with .Values.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "" (not (empty $hostNetwork))) }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- $security := .Values.podSecurityContext | default dict }}
  {{- /* A new volume belongs to root: the group lets the image's user write. */}}
  {{- if and $model.claim (not (hasKey $security "fsGroup")) }}{{ $security = merge (dict "fsGroup" 65532) $security }}{{ end }}
  {{- with $security }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: kai
      image: {{ include "kai.image" . | quote }}
      imagePullPolicy: {{ (.Values.image | default dict).pullPolicy | default "IfNotPresent" }}
      command: ["kai"]
      {{- with .Values.extraArgs }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if or .Values.extraEnv $model.legacyVariable }}
      env:
        {{- with $model.legacyVariable }}
        - name: KAI_ANCHORE_PASSWORD
          valueFrom:
            secretKeyRef:
              name: {{ $model.existingSecret }}
              key: {{ . }}
              optional: true
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      {{- $existing := and $model.existingSecret (not $model.inject) }}
      {{- if or $model.secrets $existing .Values.extraEnvFrom }}
      envFrom:
        {{- if $model.secrets }}
        - secretRef:
            name: {{ include "kai.fullname" . }}
        {{- end }}
        {{- if $existing }}
        - secretRef:
            name: {{ $model.existingSecret }}
        {{- end }}
        {{- with .Values.extraEnvFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      {{- if and $serves (or $model.port $model.probePort) }}
      ports:
        {{- if $model.port }}
        - name: http
          containerPort: {{ $model.port }}
          protocol: TCP
        {{- end }}
        {{- if $model.probePort }}
        - name: probes
          containerPort: {{ $model.probePort }}
          protocol: TCP
        {{- end }}
      {{- $port := ternary "probes" "http" (gt (int $model.probePort) 0) }}
      {{- $scheme := ternary "HTTPS" "HTTP" (and $model.tls (eq $port "http")) }}
      {{- $probes := .Values.probes | default dict }}
      {{- $fields := dict "liveness" $probes.liveness "readiness" $probes.readiness }}
      {{- $startup := .Values.startupProbe | default dict }}
      {{- if include "kai.isTrue" $startup.enabled }}{{ $_ := set $fields "startup" (omit $startup "enabled") }}{{ end }}
      {{- range $probe, $given := $fields }}
      {{ $probe }}Probe:
        httpGet:
          path: {{ ternary "/readyz" "/livez" (eq $probe "readiness") }}
          port: {{ $port }}
          scheme: {{ $scheme }}
        {{- with $given }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: config
          mountPath: /etc/xdg/kai
          readOnly: true
        {{- range $name, $mount := $model.mounts }}
        - name: {{ $name }}
          mountPath: {{ $mount.path }}
          readOnly: true
        {{- end }}
        {{- if $model.claim }}
        - name: history
          mountPath: /data
          {{- with ((.Values.history | default dict).persistence | default dict).subPath }}
          subPath: {{ . | quote }}
          {{- end }}
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "kai.fullname" . }}
    {{- range $name, $mount := $model.mounts }}
    - name: {{ $name }}
      secret:
        secretName: {{ $mount.secret }}
    {{- end }}
    {{- with $model.claim }}
    - name: history
      persistentVolumeClaim:
        claimName: {{ . }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with include "kai.texts" (list .Values.nodeSelector) }}
  nodeSelector:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}
