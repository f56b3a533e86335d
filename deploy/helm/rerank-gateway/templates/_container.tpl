{{/* The gateway's container, the same in both modes, and what a pod of your own includes for the sidecar. */}}

{{- define "rerank-gateway.container" -}}
{{- $server := (include "rerank-gateway.config" . | fromJson).server -}}
{{- $sidecar := eq .Values.mode "sidecar" -}}
name: rerank-gateway
image: {{ include "rerank-gateway.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if $sidecar }}
restartPolicy: Always
{{- end }}
command: [rerank-gateway]
args: [serve, --config, /etc/rerank-gateway/gateway.toml]
ports:
  {{- if not $sidecar }}
  - {name: http, containerPort: {{ $server.port }}, protocol: TCP}
  {{- end }}
  - {name: {{ ternary "gateway-admin" "admin" $sidecar }}, containerPort: {{ $server.admin_port }}, protocol: TCP}
env:
  {{- with .Values.aws.region }}
  - {name: AWS_REGION, value: {{ . | quote }}}
  - {name: AWS_DEFAULT_REGION, value: {{ . | quote }}}
  {{- end }}
  - {name: AWS_EC2_METADATA_DISABLED, value: {{ not .Values.aws.instanceMetadata | quote }}}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
startupProbe:
  httpGet: {path: /livez, port: {{ $server.admin_port }}}
  {{- toYaml .Values.probes.startup | nindent 2 }}
livenessProbe:
  httpGet: {path: /livez, port: {{ $server.admin_port }}}
  {{- toYaml .Values.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet: {path: /readyz, port: {{ $server.admin_port }}}
  {{- toYaml .Values.probes.readiness | nindent 2 }}
{{- if gt (int .Values.preStopSleepSeconds) 0 }}
lifecycle:
  preStop:
    sleep: {seconds: {{ .Values.preStopSleepSeconds }}}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- include "rerank-gateway.securityContext" . | nindent 2 }}
volumeMounts:
  - name: rerank-gateway-config
    mountPath: /etc/rerank-gateway/gateway.toml
    subPath: gateway.toml
    readOnly: true
  {{- if include "rerank-gateway.secretName" . }}
  - {name: rerank-gateway-secrets, mountPath: /etc/rerank-gateway/secrets, readOnly: true}
  {{- end }}
  {{- if and (not $sidecar) .Values.tls.existingSecret }}
  - {name: rerank-gateway-tls, mountPath: /etc/rerank-gateway/tls, readOnly: true}
  {{- end }}
  {{- if and $sidecar .Values.sidecar.unixSocket }}
  - {name: rerank-gateway-socket, mountPath: /run/rerank-gateway}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "rerank-gateway.securityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* The volumes that the container mounts: of its pod in service mode, for a pod of your own in sidecar mode. */}}
{{- define "rerank-gateway.volumes" -}}
- name: rerank-gateway-config
  configMap: {name: {{ include "rerank-gateway.fullname" . }}}
{{- with include "rerank-gateway.secretName" . }}
- name: rerank-gateway-secrets
  secret: {secretName: {{ . }}, defaultMode: 0444}
{{- end }}
{{- if and (eq .Values.mode "service") .Values.tls.existingSecret }}
- name: rerank-gateway-tls
  secret: {secretName: {{ .Values.tls.existingSecret }}, defaultMode: 0444}
{{- end }}
{{- if and (eq .Values.mode "sidecar") .Values.sidecar.unixSocket }}
- name: rerank-gateway-socket
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
{{- end }}
{{- end -}}

{{/* For the annotations of the pod: a changed configuration is a new pod. */}}
{{- define "rerank-gateway.checksums" -}}
checksum/rerank-gateway-config: {{ include "rerank-gateway.configFile" . | sha256sum }}
{{- with .Values.secret.files }}
checksum/rerank-gateway-secret: {{ toJson . | sha256sum }}
{{- end }}
{{- end -}}

{{/* The native sidecar: an entry of your pod's initContainers. Put it first: those after it may call it already. */}}
{{- define "rerank-gateway.sidecar" -}}
{{- if ne .Values.mode "sidecar" -}}
{{- fail "rerank-gateway.sidecar needs mode: sidecar in the values of the dependency" -}}
{{- end -}}
{{- include "rerank-gateway.container" . -}}
{{- end -}}

{{/* For the env of your container: where an AWS SDK finds the gateway. (A Unix socket you name to your client.) */}}
{{- define "rerank-gateway.clientEnv" -}}
{{- $server := (include "rerank-gateway.config" . | fromJson).server -}}
- {name: AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME, value: "http://127.0.0.1:{{ $server.port }}"}
- {name: AWS_ENDPOINT_URL_PERSONALIZE_EVENTS, value: "http://127.0.0.1:{{ $server.port }}"}
{{- end -}}

{{/* For the volumeMounts of your container, where it calls by the Unix socket. */}}
{{- define "rerank-gateway.clientMounts" -}}
- {name: rerank-gateway-socket, mountPath: /run/rerank-gateway}
{{- end -}}
