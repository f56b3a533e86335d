{{/*
The settings: what the chart sets for the mode, under what the values say, as JSON (`rerank-gateway.config`) and as the
gateway's TOML file (`rerank-gateway.configFile`). Helm's own toToml writes integers as floats in some versions.
*/}}

{{- define "rerank-gateway.config" -}}
{{- $server := dict
  "host" "0.0.0.0" "port" 8080 "admin_host" "0.0.0.0" "admin_port" 9090
  "body_timeout_s" 10 "lame_duck_s" 15 "drain_s" 35 -}}
{{- $ofMode := dict -}}
{{- if eq .Values.mode "sidecar" -}}
{{- $ofMode = dict "host" "127.0.0.1" "port" 8180 "admin_port" 9190 "lame_duck_s" 0 "drain_s" 5 -}}
{{- end -}}
{{- range $given := list $ofMode (.Values.config.server | default dict) -}}
{{- range $name, $value := $given -}}
{{- $_ := set $server $name $value -}}
{{- end -}}
{{- end -}}
{{- $config := set (deepCopy .Values.config) "server" $server -}}
{{- $cache := $config.cache | default dict -}}
{{- if and (eq ($cache.url | default "memory://") "memory://") (not $cache.memory_mib) -}}
{{- $_ := set $config "cache" (merge (dict "memory_mib" 64) $cache) -}}
{{- end -}}
{{- if and (eq .Values.mode "sidecar") .Values.sidecar.unixSocket -}}
{{- $_ := set $config.server "unix_socket" "/run/rerank-gateway/gateway.sock" -}}
{{- end -}}
{{- if and (eq .Values.mode "service") .Values.tls.existingSecret -}}
{{- $_ := set $config.server "tls_cert_file" "/etc/rerank-gateway/tls/tls.crt" -}}
{{- $_ := set $config.server "tls_key_file" "/etc/rerank-gateway/tls/tls.key" -}}
{{- if .Values.tls.clientCa -}}
{{- $_ := set $config.server "tls_client_ca_file" "/etc/rerank-gateway/tls/ca.crt" -}}
{{- end -}}
{{- end -}}
{{- toJson $config -}}
{{- end -}}

{{- define "rerank-gateway.configFile" -}}
{{- include "rerank-gateway.toml" (dict "path" list "table" (include "rerank-gateway.config" . | fromJson)) -}}
{{- end -}}

{{/* One table and those under it. A JSON string, number, boolean or list of them is the same in TOML. */}}
{{- define "rerank-gateway.toml" -}}
{{- $path := .path -}}
{{- $lines := list -}}
{{- $tables := list -}}
{{- range $name, $value := .table -}}
{{- $key := ternary $name (toJson $name) (regexMatch "^[A-Za-z0-9_-]+$" $name) -}}
{{- if kindIs "map" $value -}}
{{- $tables = append $tables (include "rerank-gateway.toml" (dict "path" (append $path $key) "table" $value)) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $lines = append $lines (printf "%s = %s" $key (toJson $value)) -}}
{{- end -}}
{{- end -}}
{{- if and $path (or $lines (not $tables)) -}}
{{- $lines = prepend $lines (printf "[%s]" (join "." $path)) -}}
{{- end -}}
{{- join "\n\n" (compact (prepend $tables (join "\n" $lines))) -}}
{{- end -}}

{{/*
Seconds to the end at worst: the sleep before SIGTERM, the lame duck, twice drain_s (the server waits for requests, then,
for as long again, for those that it has cancelled), 2 s for what is stored, 8 s to close two listeners and end.
*/}}
{{- define "rerank-gateway.graceSeconds" -}}
{{- $server := (include "rerank-gateway.config" . | fromJson).server -}}
{{- addf .Values.preStopSleepSeconds $server.lame_duck_s (mulf 2 $server.drain_s) 2 8 | ceil | int -}}
{{- end -}}
