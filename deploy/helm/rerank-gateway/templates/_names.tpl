{{/* Names, labels and the image. All templates take the chart's own context. */}}

{{- define "rerank-gateway.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 52 characters: what is hung on it ("-dashboard") stays a name. */}}
{{- define "rerank-gateway.fullname" -}}
{{- $name := include "rerank-gateway.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $full | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "rerank-gateway.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "rerank-gateway.selectorLabels" -}}
app.kubernetes.io/name: {{ include "rerank-gateway.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "rerank-gateway.labels" -}}
helm.sh/chart: {{ include "rerank-gateway.chart" . }}
{{ include "rerank-gateway.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "rerank-gateway.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ printf "%s@%s" .repository .digest }}
{{- else -}}
{{ printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "rerank-gateway.serviceAccountName" -}}
{{- $ours := ternary (include "rerank-gateway.fullname" .) "default" .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default $ours -}}
{{- end -}}

{{- define "rerank-gateway.secretName" -}}
{{- if .Values.secret.existingSecret -}}
{{ .Values.secret.existingSecret }}
{{- else if .Values.secret.files -}}
{{ include "rerank-gateway.fullname" . }}
{{- end -}}
{{- end -}}
