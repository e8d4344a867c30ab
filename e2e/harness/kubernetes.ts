/** The parts of Kubernetes objects that the tests look at. */
export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface Service {
  readonly spec: { readonly clusterIP: string };
  readonly status: {
    readonly loadBalancer: { readonly ingress?: readonly { readonly ip: string }[] };
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly containerID?: string;
}

export interface List<T> {
  readonly items: readonly T[];
}

/** The answer of the kubelet's `/stats/summary`, as far as it is looked at. */
export interface StatsSummary {
  readonly node: {
    readonly cpu: { readonly usageCoreNanoSeconds?: number };
    readonly memory: { readonly workingSetBytes?: number };
  };
  readonly pods: readonly {
    readonly podRef: { readonly name: string };
    readonly cpu?: { readonly usageNanoCores?: number; readonly usageCoreNanoSeconds?: number };
    readonly memory?: { readonly workingSetBytes?: number };
  }[];
}
