{{/* What the schema of values cannot say: keys that do not go together. Each message begins with the key's name. */}}
{{- define "regsync.checks" -}}
{{- $v := .Values }}
{{- if and $v.config $v.existingConfigMap }}{{ fail "config: there is existingConfigMap, too; give one of them" }}{{ end }}
{{- if not (or $v.config $v.existingConfigMap) }}{{ fail "config: give regsync.yml there, or the ConfigMap that has it as existingConfigMap" }}{{ end }}
{{- if gt (len (compact (list $v.extraCA.pem $v.extraCA.existingConfigMap $v.extraCA.existingSecret))) 1 }}
{{- fail "extraCA: give one of pem, existingConfigMap and existingSecret" }}
{{- end }}
{{- if and $v.serviceMonitor.enabled (ne $v.mode "server") }}{{ fail "serviceMonitor.enabled: a CronJob has nothing to scrape; set mode: server, or leave this out" }}{{ end }}
{{- if and $v.persistence.existingClaim (not $v.persistence.enabled) }}{{ fail "persistence.existingClaim: set persistence.enabled: true, too" }}{{ end }}
{{- range $at, $one := $v.extraVolumeMounts }}
{{- if has $one.mountPath (list "/etc/regsync" "/run/secrets/regsync" "/run/secrets/docker" "/var/lib/regsync" "/tmp" "/etc/ssl/regsync") }}
{{- fail (printf "extraVolumeMounts[%d].mountPath: %s is taken" $at $one.mountPath) }}
{{- end }}
{{- end }}
{{- range $at, $one := $v.extraEnv }}
{{- if or (and (eq $one.name "DOCKER_CONFIG") $v.logins.existingSecret) (and (eq $one.name "SSL_CERT_DIR") (or $v.extraCA.pem $v.extraCA.existingConfigMap $v.extraCA.existingSecret)) }}
{{- fail (printf "extraEnv[%d].name: %s is set by logins or extraCA" $at $one.name) }}
{{- end }}
{{- end }}
{{- if $v.config }}
{{- $config := kindIs "map" $v.config | ternary $v.config (fromYaml (toString $v.config)) }}
{{- with $config.Error }}{{ fail (printf "config: it is no mapping in YAML: %s" .) }}{{ end }}
{{- include "regsync.checkConfig" (dict "values" $v "config" $config) }}
{{- end }}
{{- end }}

{{/* What a configuration needs here: `regsync config --check` says all the rest. */}}
{{- define "regsync.checkConfig" -}}
{{- $v := .values }}
{{- $config := .config }}
{{- $defaults := $config.defaults | default dict }}
{{- if not (kindIs "map" $defaults) }}{{ fail "config.defaults: it is no mapping" }}{{ end }}
{{- $places := list "/var/lib/regsync" }}
{{- range $v.extraVolumeMounts }}{{ $places = append $places .mountPath }}{{ end }}
{{- if not $config.sync }}{{ fail "config.sync: there are no entries" }}{{ end }}
{{- if not (kindIs "slice" $config.sync) }}{{ fail "config.sync: it is no list" }}{{ end }}
{{- if $defaults.state }}{{ include "regsync.checkPath" (dict "key" "config.defaults.state" "path" (toString $defaults.state) "places" $places) }}{{ end }}
{{- range $at, $entry := $config.sync }}
{{- $key := printf "config.sync[%d]" $at }}
{{- if not (kindIs "map" $entry) }}{{ fail (printf "%s: it is no mapping" $key) }}{{ end }}
{{- range list "source" "target" "type" }}
{{- if not (and (get $entry .) (kindIs "string" (get $entry .))) }}{{ fail (printf "%s.%s: it is missing, or no text" $key .) }}{{ end }}
{{- end }}
{{- if and (eq $v.mode "server") (not (or $entry.interval $entry.schedule $defaults.interval $defaults.schedule)) }}
{{- fail (printf "%s: a server needs an interval or a schedule, here or in config.defaults; or set mode: cronjob" $key) }}
{{- end }}
{{- if hasPrefix "ocidir://" $entry.target }}
{{- $path := trimPrefix "ocidir://" $entry.target }}
{{- include "regsync.checkPath" (dict "key" (print $key ".target") "path" $path "places" $places) }}
{{- if and (hasPrefix "/var/lib/regsync/" $path) (not $v.persistence.enabled) }}
{{- fail (printf "persistence.enabled: %s.target is a layout, which would end with the pod; set it to true" $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* A path that can be written: all others are read-only. */}}
{{- define "regsync.checkPath" -}}
{{- $found := false }}
{{- $path := .path }}
{{- range .places }}{{ if hasPrefix (print . "/") $path }}{{ $found = true }}{{ end }}{{ end }}
{{- if not $found }}{{ fail (printf "%s: %s cannot be written to, only %s (extraVolumeMounts adds others)" .key .path (join ", " .places)) }}{{ end }}
{{- end }}
