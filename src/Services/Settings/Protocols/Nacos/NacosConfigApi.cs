using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Readers;
using Groundwork.Services.Settings.Releases;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Settings.Protocols.Nacos;

/// <summary>What of the settings module the protocol is made of.</summary>
internal sealed record NacosConfigParts(
    ChangeLog Changes, SettingContents Contents, GrayReleases Releases, SettingReader Reader, LiveReaders Readers,
    SettingAccess Access);

/// <summary>
/// Nacos's configurations over HTTP, versions 1 and 2, as clients before Nacos's gRPC speak it: a view of settings.
/// </summary>
internal sealed class NacosConfigApi : IMetricsSource, IDisposable
{
    private const string Why =
        "the credential is a parameter as often as a header: the handler finds the caller and asks the roles itself";

    private const string PublishSummary = "Publishes a configuration, or its beta.";
    private const string DeleteSummary = "Deletes a configuration, or ends its beta.";
    private const string VersionsSummary = "The versions of a configuration; with nid, one of them.";
    private const string NamespacesSummary = "The namespaces that the caller may read.";

    /// <summary>Far above what the handler reads, which says itself, and late, that a body is too large.</summary>
    private const long BodyBytes = 1024L * 1024 * 1024;

    private readonly NacosConfigCallers callers;
    private readonly ParkedPolls parked;
    private readonly NacosListener listener;
    private readonly NacosConfigs configs;
    private readonly NacosLists lists;

    /// <param name="ending">Ends when the node takes nothing new: the polls that wait are answered.</param>
    public NacosConfigApi(Node node, NacosConfigParts parts, CancellationToken ending)
    {
        var beta = new NacosBeta(parts.Changes, parts.Contents, parts.Releases, parts.Access, node.Authorizer);
        callers = new NacosConfigCallers(
            node.Authenticator, happened => node.Audit?.Append(happened), node.Time, node.Listeners.Stopping);
        parked = new ParkedPolls(node.Snapshots, parts.Releases);
        listener = new NacosListener(
            node.Snapshots, parked, parts.Contents, parts.Releases, node.Authorizer, parts.Access, parts.Readers,
            node.Time, ending);
        configs = new NacosConfigs(parts.Changes, parts.Reader, parts.Access, parts.Readers, beta);
        lists = new NacosLists(parts.Changes, parts.Access, node.Authorizer, beta);
    }

    public void Map(IEndpointRouteBuilder endpoints)
    {
        Add(endpoints, "GET", "/nacos/v1/cs/configs", "nacosConfig", "A configuration's text; with search, a list.",
            GetOrSearchAsync, false);
        Add(endpoints, "POST", "/nacos/v1/cs/configs", "nacosPublish", PublishSummary, configs.PublishAsync, false);
        Add(endpoints, "DELETE", "/nacos/v1/cs/configs", "nacosDelete", DeleteSummary, configs.DeleteAsync, false);
        Add(endpoints, "POST", "/nacos/v1/cs/configs/listener", "nacosListen", "Waits until a configuration changes.",
            listener.ListenAsync, false);
        Add(endpoints, "GET", "/nacos/v1/cs/configs/listener", "nacosListeners", "Who waits for a configuration.",
            listener.ShowListenersAsync, false);
        Add(endpoints, "GET", "/nacos/v1/console/namespaces", "nacosNamespaces", NamespacesSummary,
            lists.NamespacesAsync, false);
        Add(endpoints, "GET", "/nacos/v2/cs/config", "nacosV2Config", "A configuration's text.", configs.GetAsync,
            true);
        Add(endpoints, "POST", "/nacos/v2/cs/config", "nacosV2Publish", PublishSummary, configs.PublishAsync, true);
        Add(endpoints, "DELETE", "/nacos/v2/cs/config", "nacosV2Delete", DeleteSummary, configs.DeleteAsync, true);
        Add(endpoints, "GET", "/nacos/v2/cs/history/list", "nacosV2Versions", VersionsSummary, lists.HistoryAsync,
            true);
        Add(endpoints, "GET", "/nacos/v2/console/namespace/list", "nacosV2Namespaces", NamespacesSummary,
            lists.NamespacesAsync, true);
        foreach (var (version, id, isV2) in ((string, string, bool)[])[("v1", "nacos", false), ("v2", "nacosV2", true)])
        {
            Add(endpoints, "GET", $"/nacos/{version}/cs/history", $"{id}History", VersionsSummary, lists.HistoryAsync,
                isV2);
            Add(endpoints, "GET", $"/nacos/{version}/cs/history/previous", $"{id}Previous", "The version before one.",
                lists.PreviousAsync, isV2);
        }
    }

    public void Write(MetricsText text)
    {
        text.Family("groundwork_nacos_parked_polls", "gauge", "Long polls for configurations that wait.");
        text.Sample(parked.Count);
    }

    public void Dispose() => parked.Dispose();

    private Task<Fault?> GetOrSearchAsync(NacosConfigCall call) =>
        call.Form.Given("search") is null ? configs.GetAsync(call) : lists.SearchAsync(call);

    private void Add(
        IEndpointRouteBuilder endpoints, string method, string path, string operation, string summary,
        Func<NacosConfigCall, Task<Fault?>> handle, bool isV2)
    {
        var answer = callers.Handle(handle, isV2);
        endpoints.MapMethods(path, [method], (Delegate)((HttpContext context) => answer(context)))
            .WithTags("Nacos").LimitsBody(BodyBytes).AllowsAnyone(Why).Describe<string>(operation, summary);
    }
}
