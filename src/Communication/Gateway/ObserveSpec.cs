using System.ComponentModel;

namespace Groundwork.Communication.Gateway;

/// <summary>What is written down of a route's requests.</summary>
public sealed record ObserveSpec(
    [Description("False: no lines in the access log, such as for the probes of a load balancer.")]
    bool AccessLog = true);
