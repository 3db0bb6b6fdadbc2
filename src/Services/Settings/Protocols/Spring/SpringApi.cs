using Groundwork.Kernel.Hosting;
using Groundwork.Services.Settings.Readers;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>
/// Spring Cloud Config: environments, merged files and files as they are. At the root of its own listener, since an
/// application stands first in its paths; below <see cref="Prefix"/> where it shares one.
/// </summary>
internal sealed class SpringApi(SpringEnvironments environments, ProtocolCallers callers, TimeProvider time)
{
    /// <summary>Where it stands on a shared listener.</summary>
    public const string Prefix = "/config";

    private const string Why =
        "Spring's clients expect errors in Spring's shape: the credential, and read on each setting, are checked "
        + "inside";

    /// <param name="skip">Segments in front of the paths of the protocol.</param>
    /// <param name="at">What names of operations begin with.</param>
    public void Map(IEndpointRouteBuilder endpoints, int skip, string at)
    {
        RouteHandlerBuilder Get(string pattern, Func<HttpContext, string[], Task> answer, string id, string summary) =>
            endpoints.MapGet(pattern, (Delegate)((HttpContext context) => AnswerAsync(context, skip, answer)))
                .WithTags("Spring Cloud Config").Describe<string>($"{at}{id}", summary).AllowsAnyone(Why);

        Get("/{file}", MergedAsync, "File", "All properties of an application and its profiles as one file.")
            .ReadsQuery("resolvePlaceholders");
        Get("/{application}/{profiles}", TwoAsync, "Environment", "The properties of an application by source.")
            .ReadsQuery("resolvePlaceholders").ReadsHeader("Accept", $"{EnvironmentJson.MediaTypeV2} for origins.");
        Get("/{application}/{profiles}/{label}", ThreeAsync, "LabelledEnvironment", "The same in another version.")
            .ReadsQuery("useDefaultLabel").ReadsHeader("Accept", $"{EnvironmentJson.MediaTypeV2} for origins.");
        Get("/{application}/{profiles}/{label}/{**path}", FourAsync, "Raw", "A file as it is.")
            .ReadsQuery("resolvePlaceholders");
    }

    private async Task AnswerAsync(HttpContext context, int skip, Func<HttpContext, string[], Task> answer)
    {
        var asked = await callers.AskAsync(context);
        if (!asked.TryGet(out _, out var fault)) await FailAsync(context, fault);
        else if (SentPath.Segments(context, skip) is { } segments) await answer(context, segments);
        else await FailAsync(context, new Fault(ErrorCodes.BadRequest, "The path is not text in UTF-8."));
    }

    private Task MergedAsync(HttpContext context, string[] segments) =>
        segments is [var file] ? MergedAsync(context, file, label: null) : NothingAsync(context);

    // Two segments are an application and its profiles, or a label and a file.
    private Task TwoAsync(HttpContext context, string[] segments)
    {
        if (segments is not [var first, var second]) return NothingAsync(context);
        return IsFile(second)
            ? MergedAsync(context, second, first)
            : EnvironmentAsync(context, first, second, label: null);
    }

    private Task ThreeAsync(HttpContext context, string[] segments)
    {
        if (segments is not [var application, var profiles, var third]) return NothingAsync(context);
        return context.Request.Query.ContainsKey("useDefaultLabel")
            ? RawAsync(context, application, profiles, label: null, third)
            : EnvironmentAsync(context, application, profiles, third);
    }

    private Task FourAsync(HttpContext context, string[] segments) =>
        segments is [var application, var profiles, var label, .. { Length: > 0 } path]
            ? RawAsync(context, application, profiles, label, string.Join('/', path))
            : NothingAsync(context);

    private async Task EnvironmentAsync(HttpContext context, string application, string profiles, string? label)
    {
        var found = await FindAsync(context, application, profiles, label);
        if (!found.TryGet(out var environment, out var fault))
        {
            await FailAsync(context, fault);
            return;
        }
        var withOrigins = context.Request.Headers.Accept.ToString()
            .Contains(EnvironmentJson.MediaTypeV2, StringComparison.OrdinalIgnoreCase);
        await BootAnswers.WriteAsync(
            context, EnvironmentJson.Write(environment, withOrigins),
            withOrigins ? EnvironmentJson.MediaTypeV2 : BootAnswers.JsonType);
    }

    private async Task MergedAsync(HttpContext context, string file, string? label)
    {
        var dot = file.LastIndexOf('.');
        var hyphen = dot < 0 ? -1 : file.LastIndexOf('-', dot);
        if (!IsFile(file) || hyphen <= 0 || hyphen == dot - 1)
        {
            await NothingAsync(context);
            return;
        }
        var found = await FindAsync(context, file[..hyphen], file[(hyphen + 1)..dot], label);
        if (!found.TryGet(out var environment, out var fault))
        {
            await FailAsync(context, fault);
            return;
        }
        var merged = MergedProperties.Of(environment);
        if (Resolves(context)) merged = merged.Resolved();
        await (file[(dot + 1)..] switch
        {
            "json" => BootAnswers.TextAsync(context, MergedText.ToJson(merged), BootAnswers.JsonType),
            "properties" => BootAnswers.TextAsync(context, MergedText.ToProperties(merged)),
            _ => BootAnswers.TextAsync(context, MergedText.ToYaml(merged)),
        });
    }

    private async Task RawAsync(HttpContext context, string application, string profiles, string? label, string path)
    {
        var query = SpringQuery.Read(application, profiles, label);
        if (!query.TryGet(out var wanted, out var fault) || !IsPath(path))
        {
            await FailAsync(context, fault ?? new Fault(ErrorCodes.BadRequest, $"'{path}' is no path."));
            return;
        }
        var caller = CallerOf(context, wanted);
        var found = await environments.FindFileAsync(wanted, path, caller, context.RequestAborted);
        if (!found.TryGet(out var file, out fault))
        {
            await FailAsync(context, fault);
            return;
        }
        if (file is null)
        {
            await NothingAsync(context);
            return;
        }
        if (context.Request.Headers.Accept.ToString()
            .Contains("application/octet-stream", StringComparison.OrdinalIgnoreCase))
        {
            await BootAnswers.TextAsync(context, file.Text, "application/octet-stream");
            return;
        }
        var text = file.Text;
        if (Resolves(context) && text.Contains("${", StringComparison.Ordinal))
        {
            var environment = await environments.FindAsync(wanted, caller, context.RequestAborted);
            if (environment.TryGet(out var known, out _)) text = MergedProperties.Of(known).Resolve(text);
        }
        await BootAnswers.TextAsync(context, text);
    }

    private async Task<Outcome<SpringEnvironment>> FindAsync(
        HttpContext context, string application, string profiles, string? label)
    {
        var query = SpringQuery.Read(application, profiles, label);
        return query.TryGet(out var wanted, out var fault)
            ? await environments.FindAsync(wanted, CallerOf(context, wanted), context.RequestAborted)
            : fault;
    }

    // What a gray release can go by: the protocol says nothing else of the one who asks.
    private static SettingCaller CallerOf(HttpContext context, SpringQuery query) => SettingCaller.Of(
        context,
        ReaderIdentity.None with
        {
            Labels = ReaderIdentity.None.Labels
                .SetItem("application", query.Name).SetItem("profile", string.Join(',', query.Profiles)),
        });

    private static bool Resolves(HttpContext context) =>
        !string.Equals(context.Request.Query["resolvePlaceholders"], "false", StringComparison.OrdinalIgnoreCase);

    private static bool IsFile(string segment) =>
        PropertyReader.Extensions.Any(one => segment.EndsWith($".{one}", StringComparison.Ordinal));

    private static bool IsPath(string path) => path.Length <= Names.MaxNameLength
        && !path.Any(c => char.IsControl(c) || c == '\\')
        && path.Split('/').All(part => part.Length > 0 && !part.StartsWith('.'));

    private Task NothingAsync(HttpContext context) =>
        FailAsync(context, new Fault(ErrorCodes.NotFound, $"There is nothing at {context.Request.Path}."));

    private Task FailAsync(HttpContext context, Fault fault) => BootAnswers.FailAsync(context, fault, time);
}
