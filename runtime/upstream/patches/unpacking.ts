import type { Patch } from "./patch.js";

/** The patches by which containerd unpacks layers with less effort, and at the same time. */
export const unpacking: readonly Patch[] = [
  {
    id: "unpacking-regular-files-at-once",
    module: "github.com/containerd/containerd/v2",
    file: "pkg/archive/tar.go",
    edits: [
      {
        find: '\t"github.com/containerd/containerd/v2/pkg/epoch"\n',
        replace:
          '\t"github.com/containerd/containerd/v2/pkg/epoch"\n' +
          '\t"sandkube.dev/upstream/containerd/layerfiles"\n',
      },
      {
        find: "\t// Iterate through the files in the archive.\n\tfor {\n",
        replace:
          "\tfiles := layerfiles.New()\n\tdefer files.Close()\n\n" +
          "\t// Iterate through the files in the archive.\n\tfor {\n",
      },
      {
        find: "\t\tppath, base := filepath.Split(hdr.Name)\n\t\tppath, err = fs.RootPath(root, ppath)\n",
        replace: `		givenParent, base := filepath.Split(hdr.Name)
		ppath, isKnown := files.Parent(givenParent)
		if !isKnown {
			ppath, err = fs.RootPath(root, givenParent)
		}
`,
      },
      {
        find: "\t\tif ppath != root {\n\t\t\tparentPath := ppath\n",
        replace: "\t\tif ppath != root && !isKnown {\n\t\t\tparentPath := ppath\n",
      },
      {
        find: "\t\t// If path exits we almost always just want to remove and replace it.\n",
        replace: `		if hdr.Typeflag == tar.TypeReg {
			created, err := files.Create(ctx, layerfiles.Entry{
				Header: hdr, Content: tr, Directory: givenParent, Path: path, NoSameOwner: options.NoSameOwner,
				Accessed: boundTime(latestTime(hdr.AccessTime, hdr.ModTime)), Modified: boundTime(hdr.ModTime),
			})
			if err != nil {
				return 0, err
			}
			if created {
				unpackedPaths[path] = struct{}{}
				continue
			}
		}
		// If path exits we almost always just want to remove and replace it.
`,
      },
    ],
    reason:
      "Each system call costs many times as much in a sandbox as on a bare kernel, and one with a long path " +
      "still more. containerd makes 16 for each file of a layer: the parent directory is looked up anew for " +
      "each file in it, one call for each part of its path; the file itself is looked up before it is made; " +
      "its owner and mode are set where it has them already; and Go's own way to open a file asks six times " +
      "whether it is a regular one. The package layerfiles makes four.",
    upstream: "https://github.com/containerd/containerd/blob/v2.2.1/pkg/archive/tar.go",
    removeWhen:
      "`npm run bench -- --images` shows no difference without it, or containerd asks for less itself",
  },
  {
    id: "unpacking-layers-apart",
    module: "github.com/containerd/containerd/v2",
    file: "core/diff/apply/apply_linux.go",
    edits: [
      {
        find: "\t\t\topts = append(opts, archive.WithParents(parents))\n\t\t}\n",
        replace:
          "\t\t\topts = append(opts, archive.WithParents(parents))\n" +
          "\t\t} else {\n" +
          "\t\t\topts = append(opts, archive.WithFilter(layerfiles.SelfContained()))\n\t\t}\n",
      },
      {
        find: '\t"github.com/containerd/errdefs"\n',
        replace:
          '\t"github.com/containerd/errdefs"\n\n\t"sandkube.dev/upstream/containerd/layerfiles"\n',
      },
    ],
    reason:
      "Layers that are unpacked at the same time do not know those below them, from which a directory has its " +
      "attributes if a layer has no entry for it. containerd gives such a directory its default " +
      "attributes; it has to refuse the layer, so that it is unpacked when those below are there.",
    upstream: "https://github.com/containerd/containerd/blob/v2.2.1/core/unpack/unpacker.go",
    removeWhen:
      "containerd unpacks layers at the same time and keeps the attributes of such directories",
  },
  {
    id: "unpacking-digest-known",
    module: "github.com/containerd/containerd/v2",
    file: "core/diff/apply/apply.go",
    edits: [
      {
        find: "\trc := &readCounter{\n\t\tr: io.TeeReader(processor, digester.Hash()),\n\t}\n",
        replace:
          "\trc := &readCounter{\n\t\tr: io.TeeReader(processor, digester.Hash()),\n\t}\n" +
          "\t// The processor may give the blob as it is: then its digest is known.\n" +
          "\tfound := digester.Digest\n" +
          "\tstored, is := processor.(interface{ IsStored() bool })\n" +
          "\tif is && len(processors) == 2 && stored.IsStored() && desc.Digest.Algorithm() == digest.Canonical {\n" +
          "\t\trc.r = processor\n" +
          "\t\tfound = func() digest.Digest { return desc.Digest }\n" +
          "\t}\n",
      },
      {
        find: "\t\tDigest:    digester.Digest(),\n",
        replace: "\t\tDigest:    found(),\n",
      },
    ],
    reason:
      "A layer that is not compressed has the digest of its blob, which the content store has checked " +
      "when the blob came. To compute it again takes as long as a fifth of the unpacking.",
    upstream: "https://github.com/containerd/containerd/blob/v2.2.1/core/diff/apply/apply.go",
    removeWhen:
      "`npm run bench -- --images` shows no difference without it, or containerd does not compute it again",
  },
];
