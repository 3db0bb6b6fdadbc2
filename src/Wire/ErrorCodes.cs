using System.Collections.Frozen;
using System.Reflection;

namespace Groundwork.Wire;

/// <summary>
/// The catalogue of every error that leaves the process. Each code has a line in <c>docs/errors.md</c>, which a test
/// holds.
/// </summary>
public static class ErrorCodes
{
    // The request itself.
    public static readonly ErrorCode BadRequest = new("bad_request", 400, "The request is malformed.");
    public static readonly ErrorCode BodyTooLarge = new("body_too_large", 413, "The body is larger than the limit.");
    public static readonly ErrorCode UnsupportedMediaType =
        new("unsupported_media_type", 415, "The content type is not one this endpoint reads.");
    public static readonly ErrorCode BadPageToken = new("bad_page_token", 400, "The page token is not one of ours.");
    public static readonly ErrorCode NotFound = new("not_found", 404, "There is nothing at this address.");
    public static readonly ErrorCode MethodNotAllowed = new(
        "method_not_allowed", 405, "The method is not allowed here.");
    public static readonly ErrorCode HostNotAllowed =
        new("host_not_allowed", 421, "The listener does not answer to this Host.");
    public static readonly ErrorCode Internal = new(
        "internal", 500, "The platform failed; the trace id finds it in its log.");

    // Who asks.
    public static readonly ErrorCode Unauthenticated = new(
        "unauthenticated", 401, "The call carries no valid credential.");
    public static readonly ErrorCode Forbidden = new("forbidden", 403, "The principal has no role that grants this.");
    public static readonly ErrorCode SignInFailed = new("sign_in_failed", 401, "The name or the password is wrong.");
    public static readonly ErrorCode SignInLinkInvalid =
        new("sign_in_link_invalid", 401, "The sign-in link opens nothing any more.");
    public static readonly ErrorCode OriginNotAllowed =
        new("origin_not_allowed", 403, "The call does not come from a page of this host.");
    public static readonly ErrorCode TooManySignIns =
        new("too_many_sign_ins", 429, "Too many passwords are being tried; try again shortly.");
    public static readonly ErrorCode AccessKeyExpired = new("access_key_expired", 401, "The access key has expired.");

    public static readonly ErrorCode PrivilegeNotHeld =
        new("privilege_not_held", 403, "Nobody can grant, or take over, a permission that they do not hold.");
    public static readonly ErrorCode RootKeyInvalid =
        new("root_key_invalid", 500, "The root key cannot be used; the node does not start.");
    public static readonly ErrorCode RootKeyMismatch =
        new("root_key_mismatch", 500, "The store belongs to another root key; the node does not start.");
    public static readonly ErrorCode InvitationInvalid =
        new("invitation_invalid", 422, "The invitation is damaged, expired or used, or the code is wrong.");

    // Resources.
    public static readonly ErrorCode KindUnknown = new("kind_unknown", 404, "No loaded module has this kind.");
    public static readonly ErrorCode ResourceNotFound = new("resource_not_found", 404, "There is no such resource.");
    public static readonly ErrorCode ResourceInvalid = new("resource_invalid", 422, "The resource has faults.");
    public static readonly ErrorCode ResourceTooLarge = new(
        "resource_too_large", 413, "The resource is over its kind's limit.");
    public static readonly ErrorCode KindFull = new("kind_full", 409, "The kind holds as many resources as it may.");
    public static readonly ErrorCode NamespaceInvalid = new(
        "namespace_invalid", 422, "The namespace is not well formed.");
    public static readonly ErrorCode NamespaceUnknown = new("namespace_unknown", 422, "The namespace does not exist.");
    public static readonly ErrorCode NamespaceNotEmpty =
        new("namespace_not_empty", 409, "The namespace still has content, so it cannot be deleted.");
    public static readonly ErrorCode NameInvalid = new("name_invalid", 422, "The name is not well formed.");
    public static readonly ErrorCode RevisionConflict =
        new("revision_conflict", 409, "The resource is not at the revision that the change expects.");
    public static readonly ErrorCode PreconditionFailed =
        new("precondition_failed", 412, "The resource is not at the revision that If-Match names.");
    public static readonly ErrorCode RevisionCompacted =
        new("revision_compacted", 410, "History before the floor is gone.");
    public static readonly ErrorCode RevisionNotReached =
        new("revision_not_reached", 504, "This node has not seen the revision yet.");
    public static readonly ErrorCode RevisionUnknown = new("revision_unknown", 404, "The revision does not exist.");
    public static readonly ErrorCode WatchStoreChanged =
        new("watch_store_changed", 410, "The watch token is of another store.");
    public static readonly ErrorCode ChangesetEmpty = new("changeset_empty", 422, "The changeset has no change.");
    public static readonly ErrorCode ChangesetTooLarge = new(
        "changeset_too_large", 413, "The changeset is over the limit.");
    public static readonly ErrorCode ChangesetDuplicateKey =
        new("changeset_duplicate_key", 422, "The changeset changes one resource twice.");
    public static readonly ErrorCode ChangesetIdReused =
        new("changeset_id_reused", 422, "The changeset id was used for other changes.");
    public static readonly ErrorCode ChangesetIdInvalid = new(
        "changeset_id_invalid", 400, "The changeset id is not a UUID.");
    public static readonly ErrorCode RevertConflict =
        new("revert_conflict", 409, "Something the changeset touched has changed since.");
    public static readonly ErrorCode SecretMismatch =
        new("secret_mismatch", 422, "The masked secret is not the one in place; write the secret itself.");

    // Approval.
    public static readonly ErrorCode ApprovalNotFound = new("approval_not_found", 404, "There is no such proposal.");
    public static readonly ErrorCode ApprovalClosed = new("approval_closed", 409, "The proposal is no longer open.");
    public static readonly ErrorCode ApprovalByAuthor =
        new("approval_by_author", 403, "The author of a proposal cannot approve it.");

    // The store and the cluster.
    public static readonly ErrorCode StorageFull = new("storage_full", 507, "The disk is full; nothing was written.");
    public static readonly ErrorCode StorageUnavailable =
        new("storage_unavailable", 503, "The database cannot be reached; nothing was written.");
    public static readonly ErrorCode WriteQueueFull =
        new("write_queue_full", 503, "Too many writes are waiting; try again shortly.");
    public static readonly ErrorCode ReadQueueFull =
        new("read_queue_full", 503, "Too many reads are waiting; try again shortly.");
    public static readonly ErrorCode WriteInDoubt =
        new("write_in_doubt", 503, "The database was lost while it committed; ask again whether it was written.");
    public static readonly ErrorCode SchemaNewer =
        new("schema_newer", 409, "The database was written by a newer version of the platform.");
    public static readonly ErrorCode StorageDamaged =
        new("storage_damaged", 500, "The database file is damaged; restore a backup.");
    public static readonly ErrorCode LeaseLost = new("lease_lost", 409, "The lease has passed to another holder.");
    public static readonly ErrorCode LeaseHeld = new("lease_held", 409, "The lease is held by another.");
    public static readonly ErrorCode ReadOnlyFollower =
        new("read_only_follower", 409, "This node follows another; write there.");
    public static readonly ErrorCode BackupRunning = new("backup_running", 409, "A backup is being taken already.");
    public static readonly ErrorCode BackupInvalid = new(
        "backup_invalid", 422, "The backup file is damaged or not a backup.");
    public static readonly ErrorCode RestoreNotEmpty =
        new("restore_not_empty", 409, "The store has content; restoring would replace it.");

    // Start-up; seen by the operator, not over HTTP.
    public static readonly ErrorCode ConfigurationInvalid =
        new("configuration_invalid", 422, "The process configuration has faults.");
    public static readonly ErrorCode DirectoryLocked =
        new("directory_locked", 409, "Another process uses the data directory.");
    public static readonly ErrorCode DirectoryUnusable =
        new("directory_unusable", 500, "The data directory cannot be used.");
    public static readonly ErrorCode AddressInUse = new(
        "address_in_use", 409, "Another process listens on the address.");
    public static readonly ErrorCode AddressUnavailable =
        new("address_unavailable", 500, "The address cannot be listened on.");

    // Registry.
    public static readonly ErrorCode InstanceInvalid = new("instance_invalid", 422, "The instance has faults.");
    public static readonly ErrorCode InstanceNotFound =
        new("instance_not_found", 404, "The instance is not registered; register it again.");
    public static readonly ErrorCode IncarnationOlder =
        new("incarnation_older", 409, "A newer incarnation of the instance is registered.");
    public static readonly ErrorCode RegistryFull = new(
        "registry_full", 507, "The registry holds as many instances as it may.");
    public static readonly ErrorCode IndexUnknown = new("index_unknown", 410, "The index is of another store.");

    // Settings.
    public static readonly ErrorCode SettingSyntax = new(
        "setting_syntax", 422, "The content is not valid in its format.");
    public static readonly ErrorCode SettingSchema = new(
        "setting_schema", 422, "The content does not fulfil its schema.");
    public static readonly ErrorCode SettingNotFound = new("setting_not_found", 404, "There is no such setting.");
    public static readonly ErrorCode SourceUnavailable = new(
        "source_unavailable", 503, "A source of configuration was not read yet.");
    public static readonly ErrorCode PromotionConflict =
        new("promotion_conflict", 409, "The target has something of its own that the promotion would overwrite.");

    public static readonly ErrorCode ReceiptInvalid = new("receipt_invalid", 422, "The receipts have faults.");
    public static readonly ErrorCode ReaderInvalid =
        new("reader_invalid", 400, "The reader does not say well who it is.");

    // Gateway answers.
    public static readonly ErrorCode RequestTimeout = new(
        "request_timeout", 408, "The request did not come in time.");
    public static readonly ErrorCode TargetTooLong = new(
        "target_too_long", 414, "The request line is longer than the limit.");
    public static readonly ErrorCode HeadTooLarge = new(
        "head_too_large", 431, "The header fields are larger than the limit.");
    public static readonly ErrorCode CodingUnsupported = new(
        "coding_unsupported", 501, "The request has a transfer coding that is not understood.");
    public static readonly ErrorCode VersionUnsupported = new(
        "version_unsupported", 505, "The HTTP version is not one that is spoken here.");
    public static readonly ErrorCode HostUnknown = new("host_unknown", 404, "No route serves this host.");
    public static readonly ErrorCode MisdirectedRequest = new(
        "misdirected_request", 421, "The connection was made for another host.");
    public static readonly ErrorCode RouteNotFound = new("route_not_found", 404, "No route matches this request.");
    public static readonly ErrorCode OriginRefused = new(
        "origin_refused", 403, "Pages of this origin may not call the route.");
    public static readonly ErrorCode RefererRefused = new(
        "referer_refused", 403, "Pages of this site may not show what the route gives.");
    public static readonly ErrorCode UrlSignatureInvalid = new(
        "url_signature_invalid", 403, "The address is not signed as the route wants it.");
    public static readonly ErrorCode UrlExpired = new("url_expired", 410, "The signed address has expired.");
    public static readonly ErrorCode InspectionRefused = new(
        "inspection_refused", 403, "The request looks like an attack on the service.");
    public static readonly ErrorCode RequestInvalid = new(
        "request_invalid", 400, "The request does not fit the OpenAPI document of the service.");
    public static readonly ErrorCode OperationUnknown = new(
        "operation_unknown", 404, "The OpenAPI document of the service has no such path.");
    public static readonly ErrorCode OpenApiDocumentMissing = new(
        "openapi_document_missing", 503, "The OpenAPI document that requests are held to is not known.");
    public static readonly ErrorCode FileNotFound = new("file_not_found", 404, "There is no such file.");
    public static readonly ErrorCode FilesUnavailable = new(
        "files_unavailable", 503, "This node gives no files out of the route's folder.");
    public static readonly ErrorCode PartFailed = new(
        "part_failed", 502, "A part of the answer that it cannot do without could not be had.");
    public static readonly ErrorCode NotCached = new(
        "not_cached", 504, "The client wants what is kept alone, and nothing is.");
    public static readonly ErrorCode NoInstance = new("no_instance", 503, "The service has no instance to call.");
    public static readonly ErrorCode UpstreamConnect = new(
        "upstream_connect", 502, "The instance cannot be connected.");
    public static readonly ErrorCode UpstreamTimeout = new(
        "upstream_timeout", 504, "The instance did not answer in time.");
    public static readonly ErrorCode UpstreamFailed = new("upstream_failed", 502, "The instance broke off its answer.");
    public static readonly ErrorCode UpstreamBusy =
        new("upstream_busy", 503, "Every instance of the service has as many requests as it may.");
    public static readonly ErrorCode UpstreamForbidden =
        new("upstream_forbidden", 502, "The instance's address is one that the gateway never calls.");
    public static readonly ErrorCode CredentialMissing = new(
        "credential_missing", 401, "The request carries no credential that the route takes.");
    public static readonly ErrorCode CredentialInvalid = new(
        "credential_invalid", 401, "The credential of the request is not valid.");
    public static readonly ErrorCode ScopeInsufficient = new(
        "scope_insufficient", 403, "The token has not all the scopes that the route takes.");
    public static readonly ErrorCode AccessDenied = new("access_denied", 403, "The caller may not pass.");
    public static readonly ErrorCode AccessUndecided = new(
        "access_undecided", 503, "Whether the request may pass cannot be decided now.");
    public static readonly ErrorCode LoopDetected =
        new("loop_detected", 508, "The request has passed a gateway too often; its route leads back here.");

    public static readonly ErrorCode Overloaded = new(
        "overloaded", 503, "The gateway has more requests than it can serve.");
    public static readonly ErrorCode RateLimited = new(
        "rate_limited", 429, "More requests have come than may pass.");

    // Calls of services through the SDK; the codes of the gateway mean the same there.
    public static readonly ErrorCode CircuitOpen =
        new("circuit_open", 503, "The circuit breaker of the service is open.");
    public static readonly ErrorCode BulkheadFull =
        new("bulkhead_full", 503, "As many calls of the service are under way as its policy allows.");
    public static readonly ErrorCode DeadlineExceeded =
        new("deadline_exceeded", 504, "The time for the request is over.");

    /// <summary>All codes by their text.</summary>
    public static FrozenDictionary<string, ErrorCode> ByCode { get; } = typeof(ErrorCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(field => field.FieldType == typeof(ErrorCode))
        .Select(field => (ErrorCode)field.GetValue(null)!) // A static readonly field of this type is never null.
        .ToFrozenDictionary(code => code.Code, StringComparer.Ordinal);
}
