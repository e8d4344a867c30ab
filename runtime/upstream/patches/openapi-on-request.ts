import type { Patch } from "./patch.js";

const reason =
  "Half of what the API server allocates for its start are its OpenAPI documents: version 2 of all of its " +
  "API and version 3 of each of 50 group versions, which it builds before it serves anything and " +
  "encodes as JSON to hash them for the list of documents. In a sandbox that is a fifth of the start, " +
  "and nobody asks for more than a few of them. Here a document is built when it is asked for.";

const removeWhen = "the API server builds its own OpenAPI documents when they are asked for";

const apiserver = "k8s.io/apiserver";
const installation =
  "https://github.com/kubernetes/apiserver/blob/v0.36.4/pkg/server/routes/openapi.go#L43";

/** The patches that let the API server build its OpenAPI documents when they are asked for. */
export const openapiOnRequest: readonly Patch[] = [
  {
    id: "openapi-v2-on-request",
    module: apiserver,
    file: "pkg/server/routes/openapi.go",
    edits: [
      {
        find: '\t"strings"\n\n\trestful "github.com/emicklei/go-restful/v3"\n',
        replace:
          '\t"strings"\n\t"sync"\n\n\trestful "github.com/emicklei/go-restful/v3"\n\t"github.com/google/uuid"\n',
      },
      {
        find: '\t"k8s.io/kube-openapi/pkg/builder3"\n',
        replace: '\t"k8s.io/kube-openapi/pkg/builder3"\n\t"k8s.io/kube-openapi/pkg/cached"\n',
      },
      {
        find: "(*handler.OpenAPIService, *spec.Swagger) {\n",
        replace:
          "(*handler.OpenAPIService, func() *spec.Swagger) {\n" +
          "\tbuild := sync.OnceValue(func() *spec.Swagger { return oa.buildV2(c) })\n" +
          "\tetag := uuid.New().String()\n" +
          "\tlazy := cached.Func(func() (*spec.Swagger, string, error) { return build(), etag, nil })\n" +
          "\topenAPIVersionedService := handler.NewOpenAPIServiceLazy(lazy)\n" +
          '\topenAPIVersionedService.RegisterOpenAPIVersionedService("/openapi/v2", mux)\n\n' +
          "\treturn openAPIVersionedService, build\n}\n\n" +
          "func (oa OpenAPI) buildV2(c *restful.Container) *spec.Swagger {\n",
      },
      {
        find:
          "\topenAPIVersionedService := handler.NewOpenAPIService(spec)\n" +
          '\topenAPIVersionedService.RegisterOpenAPIVersionedService("/openapi/v2", mux)\n\n' +
          "\treturn openAPIVersionedService, spec\n",
        replace: "\treturn spec\n",
      },
    ],
    reason,
    upstream: installation,
    removeWhen,
  },
  {
    id: "openapi-v2-of-server",
    module: apiserver,
    file: "pkg/server/genericapiserver.go",
    edits: [
      {
        find: "\tStaticOpenAPISpec *spec.Swagger\n",
        replace: "\tStaticOpenAPISpec func() *spec.Swagger\n",
      },
    ],
    reason: `${reason} This passes the function on that builds version 2.`,
    upstream: installation,
    removeWhen,
  },
  {
    id: "openapi-v2-of-custom-resources",
    module: "k8s.io/apiextensions-apiserver",
    file: "pkg/apiserver/apiserver.go",
    edits: [
      {
        find: "openapiController.Run(s.GenericAPIServer.StaticOpenAPISpec, ",
        replace: "openapiController.Run(s.GenericAPIServer.StaticOpenAPISpec(), ",
      },
    ],
    reason: `${reason} The server of custom resources, whose own document is small, adds theirs to it.`,
    upstream:
      "https://github.com/kubernetes/apiextensions-apiserver/blob/v0.36.4/pkg/apiserver/apiserver.go#L236",
    removeWhen,
  },
  {
    id: "openapi-v3-on-request",
    module: apiserver,
    file: "pkg/server/routes/openapi.go",
    edits: [
      {
        find: "\t\tspec, err := builder3.BuildOpenAPISpecFromRoutes(restfuladapter.AdaptWebServices(ws), oa.V3Config)\n",
        replace:
          "\t\tlazy := cached.Func(func() (*spec3.OpenAPI, string, error) {\n" +
          "\t\t\tspec, err := builder3.BuildOpenAPISpecFromRoutes(restfuladapter.AdaptWebServices(ws), oa.V3Config)\n",
      },
      {
        find:
          '\t\t\tklog.Errorf("Failed to build OpenAPI v3 for group %s, %q", gv, err)\n' +
          "\t\t\tcontinue\n" +
          "\t\t}\n" +
          "\t\tif group, version, ok := groupVersionFromPath(gv); ok {\n" +
          "\t\t\tfilterScopedGVKs(spec, group, version)\n" +
          "\t\t}\n" +
          "\t\topenAPIVersionedService.UpdateGroupVersion(gv, spec)\n",
        replace:
          '\t\t\t\tklog.Errorf("Failed to build OpenAPI v3 for group %s, %q", gv, err)\n' +
          '\t\t\t\treturn nil, "", err\n' +
          "\t\t\t}\n" +
          "\t\t\tif group, version, ok := groupVersionFromPath(gv); ok {\n" +
          "\t\t\t\tfilterScopedGVKs(spec, group, version)\n" +
          "\t\t\t}\n" +
          "\t\t\treturn spec, gv, nil\n" +
          "\t\t})\n" +
          "\t\topenAPIVersionedService.AddStaticGroupVersion(gv, uuid.New().String(), cached.Once(lazy))\n",
      },
    ],
    reason: `${reason} Its hash is one of this start of the server, since it does not change until the next.`,
    upstream: installation,
    removeWhen,
  },
  {
    id: "openapi-v3-static-hash",
    module: "k8s.io/kube-openapi",
    file: "pkg/handler3/handler.go",
    edits: [
      {
        find: "type openAPIV3Group struct {\n",
        replace:
          "type openAPIV3Group struct {\n" +
          "\t// etag is that of a spec that never changes, known before the spec is built; else empty\n" +
          "\tetag string\n",
      },
      {
        find: "\t\treturn timedSpec{spec: json, lastModified: time.Now()}, computeETag(json), nil\n",
        replace:
          '\t\tif o.etag != "" {\n' +
          "\t\t\treturn timedSpec{spec: json, lastModified: time.Now()}, o.etag, nil\n" +
          "\t\t}\n" +
          "\t\treturn timedSpec{spec: json, lastModified: time.Now()}, computeETag(json), nil\n",
      },
      {
        find: "\t\tcaches[gvName] = group.jsonCache\n",
        replace:
          "\t\tcaches[gvName] = group.jsonCache\n" +
          '\t\tif group.etag != "" {\n' +
          "\t\t\tcaches[gvName] = cached.Static(timedSpec{}, group.etag)\n" +
          "\t\t}\n",
      },
      {
        find: "\tif _, ok := o.v3Schema[group]; !ok {\n",
        replace: '\tif known, ok := o.v3Schema[group]; !ok || known.etag != "" {\n',
      },
      {
        find: "func (o *OpenAPIService) UpdateGroupVersion(group string, ",
        replace:
          "// AddStaticGroupVersion adds a group that does not change, of which only the etag is known yet.\n" +
          "func (o *OpenAPIService) AddStaticGroupVersion(group, etag string, openapi cached.Value[*spec3.OpenAPI]) {\n" +
          "\to.mutex.Lock()\n\tdefer o.mutex.Unlock()\n" +
          "\tadded := newOpenAPIV3Group()\n" +
          "\tadded.etag = etag\n" +
          "\tadded.UpdateSpec(openapi)\n" +
          "\to.v3Schema[group] = added\n" +
          "\to.discoveryCache.Store(o.buildDiscoveryCacheLocked())\n" +
          "}\n\n" +
          "func (o *OpenAPIService) UpdateGroupVersion(group string, ",
      },
    ],
    reason: `${reason} The list of documents gives the hash of each, which here needs no document.`,
    upstream:
      "https://github.com/kubernetes/kube-openapi/blob/43fb72c5454a/pkg/handler3/handler.go#L81",
    removeWhen,
  },
];
