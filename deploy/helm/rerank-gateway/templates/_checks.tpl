{{/* What the schema cannot say: choices to be made, and values that do not fit together. All faults at once. */}}

{{- define "rerank-gateway.checks" -}}
{{- $config := include "rerank-gateway.config" . | fromJson -}}
{{- $auth := $config.auth | default dict -}}
{{- $cache := $config.cache | default dict -}}
{{- $faults := list -}}
{{- if eq .Values.mode "service" -}}
{{- if not $auth.mode -}}
{{- $faults = append $faults
  "config.auth.mode: say who may call: keys, sigv4, keys-or-sigv4, or none (anybody who can reach the Service)" -}}
{{- end -}}
{{- if has $config.server.host (list "127.0.0.1" "localhost" "::1") -}}
{{- $faults = append $faults "config.server.host: a Service cannot reach loopback" -}}
{{- end -}}
{{- $several := or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) -}}
{{- if and $several (eq ($cache.url | default "memory://") "memory://") -}}
{{- $faults = append $faults (cat
  "config.cache.url: name a Redis that all pods share (with memory:// an event would reach one pod only),"
  "or set replicaCount: 1") -}}
{{- end -}}
{{- end -}}
{{- if and (has $auth.mode (list "keys" "sigv4" "keys-or-sigv4")) (not $auth.tenants) -}}
{{- $faults = append $faults
  "config.auth.tenants: name at least one tenant, since somebody has to be let in" -}}
{{- end -}}
{{- if and (eq ($auth.mode | default "none") "none") $auth.tenants -}}
{{- $faults = append $faults
  "config.auth.tenants: nobody is asked who calls; config.auth.mode has to be keys, sigv4 or keys-or-sigv4" -}}
{{- end -}}
{{- if regexMatch "://[^/@]*:[^/@]*@" ($cache.url | default "") -}}
{{- $faults = append $faults
  "config.cache.url: a password does not belong into a ConfigMap; use config.cache.password_file and secret" -}}
{{- end -}}
{{- if and (eq .Values.mode "service") .Values.networkPolicy.enabled -}}
{{- $usual := ternary "26379" "6379" (regexMatch "^rediss?[+]sentinel:" ($cache.url | default "" | lower)) -}}
{{- $hosts := $cache.url | default "" | regexFind "://[^/?]*" | trimPrefix "://" | regexFind "[^@]*$" -}}
{{- range $host := splitList "," $hosts | compact -}}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" | default $usual -}}
{{- if not (has $port (toStrings $.Values.networkPolicy.redis.ports)) -}}
{{- $faults = append $faults (printf
  "networkPolicy.redis.ports: config.cache.url is on port %s, which would be closed" $port) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $port := int $config.server.port -}}
{{- $admin := int $config.server.admin_port -}}
{{- if or (lt $port 1) (lt $admin 1) (eq $port $admin) -}}
{{- $faults = append $faults
  "config.server.port, config.server.admin_port: probes and Services need two ports, each with a number of its own" -}}
{{- end -}}
{{- if and .Values.secret.existingSecret .Values.secret.files -}}
{{- $faults = append $faults "secret: existingSecret or files, not both" -}}
{{- end -}}
{{- $needed := include "rerank-gateway.graceSeconds" . | int -}}
{{- with .Values.terminationGracePeriodSeconds -}}
{{- if lt (int .) $needed -}}
{{- $faults = append $faults (printf
  "terminationGracePeriodSeconds: lame duck and drain take up to %d s, so %d would lose requests" $needed (int .)) -}}
{{- end -}}
{{- end -}}
{{- $monitor := .Values.metrics.podMonitor -}}
{{- if and (eq .Values.mode "sidecar") $monitor.enabled (not $monitor.podSelector) -}}
{{- $faults = append $faults
  "metrics.podMonitor.podSelector: name the labels of the pods that have the sidecar" -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n\n%s\n" (join "\n" $faults)) -}}
{{- end -}}
{{- end -}}
