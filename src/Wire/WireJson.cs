using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Groundwork.Wire.Contracts;

namespace Groundwork.Wire;

/// <summary>
/// Source-generated JSON of every contract: camelCase, nulls left out, unknown and duplicate members refused on read.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ResourceDocument))]
[JsonSerializable(typeof(ResourceList))]
[JsonSerializable(typeof(ChangesetRequest))]
[JsonSerializable(typeof(ChangesetAnswer))]
[JsonSerializable(typeof(ChangesetDocument))]
[JsonSerializable(typeof(ChangesetList))]
[JsonSerializable(typeof(HistoryList))]
[JsonSerializable(typeof(ResourceDiff))]
[JsonSerializable(typeof(WatchEvent))]
[JsonSerializable(typeof(CompactionAnswer))]
[JsonSerializable(typeof(SnapshotHead))]
[JsonSerializable(typeof(IReadOnlyList<KindDocument>))]
[JsonSerializable(typeof(KindDocument))]
[JsonSerializable(typeof(IReadOnlyList<ProposalDocument>))]
[JsonSerializable(typeof(ProposalDocument))]
[JsonSerializable(typeof(ProblemDocument))]
[JsonSerializable(typeof(InstanceDocument))]
[JsonSerializable(typeof(RegistrationAnswer))]
[JsonSerializable(typeof(ServiceDocument))]
[JsonSerializable(typeof(ServiceList))]
[JsonSerializable(typeof(RenewalBatch))]
[JsonSerializable(typeof(RenewalAnswer))]
[JsonSerializable(typeof(RenewalDocument))]
[JsonSerializable(typeof(WatchersDocument))]
[JsonSerializable(typeof(OutcomeBatch))]
[JsonSerializable(typeof(IReadOnlyList<BreakerDocument>))]
[JsonSerializable(typeof(InstanceList))]
[JsonSerializable(typeof(VersionList))]
[JsonSerializable(typeof(ConsumerList))]
[JsonSerializable(typeof(ServiceProtocols))]
[JsonSerializable(typeof(DependencyList))]
[JsonSerializable(typeof(ServiceGraph))]
[JsonSerializable(typeof(ExplanationDocument))]
[JsonSerializable(typeof(RouteExplanation))]
[JsonSerializable(typeof(GatewayRequestList))]
[JsonSerializable(typeof(GatewayRequestExplanation))]
[JsonSerializable(typeof(GatewayTraffic))]
[JsonSerializable(typeof(DryRunRequest))]
[JsonSerializable(typeof(DryRunAnswer))]
[JsonSerializable(typeof(ReplayRequest))]
[JsonSerializable(typeof(ReplayAnswer))]
[JsonSerializable(typeof(GatewayListenerList))]
[JsonSerializable(typeof(GatewayUpstreamList))]
[JsonSerializable(typeof(CachedRoutes))]
[JsonSerializable(typeof(GatewayState))]
[JsonSerializable(typeof(PurgeRequest))]
[JsonSerializable(typeof(PrefetchRequest))]
[JsonSerializable(typeof(PrefetchAnswer))]
[JsonSerializable(typeof(RegistryEventList))]
[JsonSerializable(typeof(SettingSpec))]
[JsonSerializable(typeof(SettingDocument))]
[JsonSerializable(typeof(SettingSnapshot))]
[JsonSerializable(typeof(SettingList))]
[JsonSerializable(typeof(ReceiptBatch))]
[JsonSerializable(typeof(GrayReleaseSpec))]
[JsonSerializable(typeof(GrayReceivers))]
[JsonSerializable(typeof(SettingReceipts))]
[JsonSerializable(typeof(ReceiptEvent))]
[JsonSerializable(typeof(ReaderList))]
[JsonSerializable(typeof(FlagExposureList))]
[JsonSerializable(typeof(BlastRadiusRequest))]
[JsonSerializable(typeof(BlastRadius))]
[JsonSerializable(typeof(SettingComparison))]
[JsonSerializable(typeof(PromotionRequest))]
[JsonSerializable(typeof(PromotionAnswer))]
[JsonSerializable(typeof(IReadOnlyList<SealingKeyDocument>))]
[JsonSerializable(typeof(SignInRequest))]
[JsonSerializable(typeof(RefreshRequest))]
[JsonSerializable(typeof(SignInAnswer))]
[JsonSerializable(typeof(SignInList))]
[JsonSerializable(typeof(SignInLinkRequest))]
[JsonSerializable(typeof(SignInLinkAnswer))]
[JsonSerializable(typeof(BrowserSignInRequest))]
[JsonSerializable(typeof(BrowserSignInAnswer))]
[JsonSerializable(typeof(AccessKeyRequest))]
[JsonSerializable(typeof(AccessKeyAnswer))]
[JsonSerializable(typeof(WhoAmI))]
[JsonSerializable(typeof(AccessList))]
[JsonSerializable(typeof(WorkingKeyAnswer))]
[JsonSerializable(typeof(NodeInvitationAnswer))]
[JsonSerializable(typeof(AuditList))]
[JsonSerializable(typeof(AuditVerification))]
[JsonSerializable(typeof(AuditProgress))]
[JsonSerializable(typeof(LeaseList))]
[JsonSerializable(typeof(NodeList))]
[JsonSerializable(typeof(ModuleList))]
[JsonSerializable(typeof(VersionDocument))]
[JsonSerializable(typeof(HealthDocument))]
[JsonSerializable(typeof(DoctorDocument))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(string))]
public sealed partial class WireJson : JsonSerializerContext
{
    /// <summary>For requests: unknown and duplicate members are faults. Writes non-ASCII text as it is.</summary>
    public static WireJson Strict { get; } = Create(JsonUnmappedMemberHandling.Disallow);

    /// <summary>For answers of another node, which may be newer than we are: unknown members are passed over.</summary>
    public static WireJson Lenient { get; } = Create(JsonUnmappedMemberHandling.Skip);

    // The relaxed encoder is right because answers are JSON with a declared charset, never HTML.
    private static WireJson Create(JsonUnmappedMemberHandling unmapped) => new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = unmapped,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
