{{/* What a configuration needs here: `regsync config --check` says all the rest. */}}
{{- define "regsync.checkConfig" -}}
{{- $v := .values }}
{{- $config := .config }}
{{- $defaults := $config.defaults | default dict }}
{{- if not (kindIs "map" $defaults) }}{{ fail "config.defaults: it is no mapping" }}{{ end }}
{{- $mounts := append $v.extraVolumeMounts (dict "mountPath" "/var/lib/regsync") }}
{{- if not $config.sync }}{{ fail "config.sync: there are no entries" }}{{ end }}
{{- if not (kindIs "slice" $config.sync) }}{{ fail "config.sync: it is no list" }}{{ end }}
{{- if $defaults.state }}{{ $_ := include "regsync.checkPath" (dict "key" "config.defaults.state" "path" (toString $defaults.state) "mounts" $mounts "written" true) }}{{ end }}
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
{{- $_ := include "regsync.checkPath" (dict "key" (print $key ".source") "path" (trimPrefix "ocidir://" $entry.source) "mounts" $mounts) }}
{{- end }}
{{- if hasPrefix "ocidir://" $entry.target }}
{{- $disk := include "regsync.checkPath" (dict "key" (print $key ".target") "path" (trimPrefix "ocidir://" $entry.target) "mounts" $mounts "written" true) }}
{{- if and (eq $disk "/var/lib/regsync") (not $v.persistence.enabled) }}
{{- fail (printf "persistence.enabled: %s.target is a layout, which would end with the pod; set it to true" $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The disk of the pod's that a path is on: elsewhere there are no layouts, and nothing can be written. */}}
{{- define "regsync.checkPath" -}}
{{- $path := print (regexReplaceAll "[:@].*$" .path "") "/" }}
{{- $disk := dict "mountPath" "" }}
{{- $all := list }}
{{- range .mounts }}
{{- $all = append $all .mountPath }}
{{- if and (hasPrefix (print (clean .mountPath) "/") $path) (gt (len .mountPath) (len $disk.mountPath)) }}{{ $disk = . }}{{ end }}
{{- end }}
{{- if not $disk.mountPath }}{{ fail (printf "%s: %s is not on a disk of the pod: layouts and a history go into %s (extraVolumeMounts adds others)" .key .path (join ", " (sortAlpha $all))) }}{{ end }}
{{- if and .written $disk.readOnly }}{{ fail (printf "%s: %s cannot be written to: extraVolumeMounts has %s with readOnly: true" .key .path $disk.mountPath) }}{{ end }}
{{- $disk.mountPath }}
{{- end }}
