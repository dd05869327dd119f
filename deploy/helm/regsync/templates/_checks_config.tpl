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
{{- if hasPrefix "ocidir://" $entry.source }}
{{- include "regsync.checkPath" (dict "key" (print $key ".source") "path" (trimPrefix "ocidir://" $entry.source) "places" $places) }}
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

{{/* A path on a disk of the pod's: elsewhere there are no layouts, and nothing can be written. */}}
{{- define "regsync.checkPath" -}}
{{- $found := false }}
{{- $path := .path }}
{{- range .places }}{{ if hasPrefix (print . "/") $path }}{{ $found = true }}{{ end }}{{ end }}
{{- if not $found }}{{ fail (printf "%s: %s is not on a disk of the pod: layouts and a history go below %s (extraVolumeMounts adds others)" .key .path (join ", " .places)) }}{{ end }}
{{- end }}
