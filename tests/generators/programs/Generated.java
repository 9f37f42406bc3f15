import java.io.File;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.openapitools.client.ApiClient;
import org.openapitools.client.api.PicturesApi;
import org.openapitools.client.model.ClassifiedPicture;
import org.openapitools.client.model.Vehicle;

/** The client of openapi-generator's java: Generated API PICTURE PICTURE. */
class Generated {
    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(arguments[0]);
        PicturesApi pictures = new PicturesApi(client);
        List<File> files = Stream.of(arguments).skip(1).map(File::new).collect(Collectors.toList());
        List<List<Vehicle>> plain = pictures.predict(null, null, null, files, List.of(), List.of());
        System.out.println("plain " + plain.stream().map(each -> "" + each.size()).collect(Collectors.joining(" ")));
        for (ClassifiedPicture each : pictures.predictDetails(null, 1, null, files, List.of(), List.of()).getImages()) {
            System.out.println(each.getFilename() + " " + each.getPredictions().get(0).getClassName());
        }
    }
}
