using System.Text.Json.Serialization;
using Groundwork.Kernel.Cluster;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Load.Scenarios;

/// <summary>The change log as a node has it, with one more kind.</summary>
internal static class BenchLog
{
    private static readonly Kind<BenchSpec> Bench = new("bench", BenchJson.Default.BenchSpec)
    {
        Module = "bench",
        Summary = "A document of the load run.",
        Validate = static (spec, faults) =>
        {
            if (spec.Text.Length == 0) faults.Add(new FieldFault("spec.text", "must not be empty"));
        },
    };

    public static async Task<ChangeLog> OpenAsync(IStorage storage, RootKey root)
    {
        await storage.MigrateAsync(
            [.. ChangeLog.Migrations, .. SecuritySchema.Migrations, .. NodeLeases.Migrations], CancellationToken.None);
        var keys = await WorkingKeys.OpenAsync(storage, root, NullLogger.Instance, CancellationToken.None);
        var authorizer = new Authorizer();
        var log = await ChangeLog.OpenAsync(
            new ChangeLogParts(
                storage, new KindCatalog([.. ChangeLog.OwnKinds, .. SecurityKinds.All, Bench]), authorizer,
                new SecretProtector(root, keys.Value), root.ChangeChain(), TimeProvider.System,
                NullLoggerFactory.Instance),
            CancellationToken.None);
        authorizer.Follow(log.Snapshots);
        return log;
    }
}

/// <summary>The document of the load run.</summary>
internal sealed record BenchSpec(string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BenchSpec))]
internal sealed partial class BenchJson : JsonSerializerContext;
