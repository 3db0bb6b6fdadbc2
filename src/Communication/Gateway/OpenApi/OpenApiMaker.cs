using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Resources;

namespace Groundwork.Communication.Gateway.OpenApi;

/// <summary>Makes the step of routes that hold requests to a document, and keeps the documents.</summary>
internal sealed class OpenApiMaker(ISnapshotSource snapshots, OpenApiFigures figures) : IStepMaker, IDisposable
{
    private readonly ResourceTable<ApiDocument> documents = new(
        snapshots, OpenApiDocumentKind.Name,
        // Null for one that this version does not understand: it is then not there.
        static resource => DocumentReading.Read(resource.As<OpenApiDocumentSpec>(), []));

    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context.Policies is RouteSpec { OpenApi: { } spec }
            && FieldRules.TryReadLongName(
                spec.Document, context.Key.Namespace, OpenApiDocumentKind.Name, out var document))
            yield return new OpenApiStep(
                new OpenApiPlan(spec), document, documents, $"{context.Key.Namespace}/{context.Key.Name}", figures);
    }

    public void Dispose() => documents.Dispose();
}
