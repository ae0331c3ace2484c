{{- define "hexhail.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "hexhail.selector" -}}
app.kubernetes.io/name: hexhail
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "hexhail.labels" -}}
{{ include "hexhail.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{- /* Not empty when the nodes form a cluster. */ -}}
{{- define "hexhail.cluster" -}}
{{- if or .Values.registry.url .Values.registry.secret.name -}}true{{- end -}}
{{- end -}}
